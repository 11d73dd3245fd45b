//! Protects the node's commands: signals, import, export, tokens, addresses.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{PATIENCE, Server, assert_verifies, node_command, node_command_on, request};

fn fourzero() -> assert_cmd::Command {
    let mut command = assert_cmd::cargo::cargo_bin_cmd!("fourzero");
    command.timeout(PATIENCE).env_remove("FOURZERO_TOKEN");
    command
}

/// Runs a command, checks its exit code, and returns its stdout and stderr.
#[track_caller]
fn ends_with(command: &mut assert_cmd::Command, code: i32) -> (String, String) {
    let output = command.output().unwrap();
    let [stdout, stderr] =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(output.status.code(), Some(code), "{stdout}{stderr}");
    (stdout, stderr)
}

fn wait_until_mining_is(server: &Server, wanted: bool) {
    server.wait_until("/health", |health| health.ok(200)["mining"] == wanted);
}

#[test]
fn sigterm_ends_a_search_and_the_node() {
    let folder = tempfile::tempdir().unwrap();
    for (name, code) in [("TERM", 0), ("INT", 130)] {
        let mut server = Server::node(node_command(folder.path()).args(["--difficulty", "64"]));
        let address = server.address.clone();
        let search = std::thread::spawn(move || request(&address, "GET", "/mine", &[], ""));
        wait_until_mining_is(&server, true);
        server.signal(name);
        assert_eq!(server.wait(), Some(code));
        let answer = search.join().unwrap().unwrap().ok(503);
        assert_eq!(answer["error"], "shutting_down");
    }
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().ends_with("-wal"))
        .collect();
    assert!(names.is_empty(), "the write-ahead log remains");
    let connection = rusqlite::Connection::open(folder.path().join("node.sqlite3")).unwrap();
    let sound: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sound, "ok");
}

#[test]
fn a_search_ends_when_its_caller_goes_away() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::node(node_command(folder.path()).args(["--difficulty", "64"]));
    let mut stream = std::net::TcpStream::connect(&server.address).unwrap();
    std::io::Write::write_all(
        &mut stream,
        b"GET /mine HTTP/1.1\r\nHost: localhost\r\n\r\n",
    )
    .unwrap();
    wait_until_mining_is(&server, true);
    drop(stream);
    wait_until_mining_is(&server, false);
}

#[test]
fn an_imported_chain_can_be_exported_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let [queue, chain, out, lines] =
        ["q.jsonl", "c.json", "out.json", "out.jsonl"].map(|name| folder.path().join(name));
    let transactions: String = (0..50)
        .map(|number| {
            format!("{{\"sender\": \"s{number}\", \"recipient\": \"r\", \"amount\": 1}}\n")
        })
        .collect();
    fs::write(&queue, transactions).unwrap();
    let rule = ["--rule", "last-hash", "--difficulty", "3"];
    ends_with(
        fourzero()
            .arg("mine")
            .arg(&queue)
            .args(rule)
            .arg("-o")
            .arg(&chain),
        0,
    );

    let import = |file: &Path| {
        let mut command = fourzero();
        command.args(["node", "import", "--json"]).arg(file);
        command.args(rule).arg("--data").arg(&data);
        command
    };
    let (stdout, _) = ends_with(&mut import(&chain), 0);
    let said: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(said["blocks"], 6);
    ends_with(&mut import(&chain), 2);
    ends_with(import(&chain).arg("--force"), 0);

    let changed = fs::read_to_string(&chain)
        .unwrap()
        .replacen("\"s7\"", "\"s8\"", 1);
    let bad = folder.path().join("bad.json");
    fs::write(&bad, changed).unwrap();
    ends_with(import(&bad).arg("--force"), 1);

    let mut server = Server::node(node_command(&data).args(rule));
    ends_with(import(&chain).arg("--force"), 2);
    assert_eq!(
        server.get("/blocks/3").ok(200)["transactions"][7]["sender"],
        "s17"
    );
    server.get("/mine").ok(200);
    let export = |file: &Path| {
        let mut command = fourzero();
        command.args(["node", "export", "-o"]).arg(file);
        command.arg("--data").arg(&data);
        command
    };
    // While the node runs, and after it has stopped.
    ends_with(&mut export(&out), 0);
    let exported = fs::read_to_string(&out).unwrap();
    assert_eq!(exported + "\n", server.get("/chain").body);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    ends_with(&mut export(&out), 2);
    ends_with(&mut export(&lines), 0);
    assert_eq!(fs::read_to_string(&lines).unwrap().lines().count(), 7);
    let (stdout, _) = ends_with(&mut export(Path::new("-")), 0);
    assert_eq!(stdout, fs::read_to_string(&out).unwrap());
    // The same permissions as those of any new file.
    let permissions = |file: &Path| fs::metadata(file).unwrap().permissions();
    assert_eq!(permissions(&out), permissions(&chain));
    for file in [&out, &lines] {
        assert_verifies(&fs::read_to_string(file).unwrap(), "last-hash", "3");
    }
}

#[test]
fn an_import_keeps_pending_transactions_that_the_chain_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let [data, other] = ["data", "other"].map(|name| folder.path().join(name));
    let chain = folder.path().join("chain.json");
    let rule = ["--difficulty", "3"];
    let add = |server: &Server, sender: &str| {
        let body = json!({"sender": sender, "recipient": "r", "amount": 1}).to_string();
        server.post("/transactions/new", &body).ok(201);
    };
    {
        let server = Server::node(node_command(&data).args(rule));
        add(&server, "kept");
        add(&server, "mined elsewhere");
        let other = Server::node(node_command(&other).args(rule));
        add(&other, "mined elsewhere");
        other.get("/mine").ok(200);
        fs::write(&chain, other.get("/chain").body).unwrap();
    }
    let mut command = fourzero();
    command.args(["node", "import"]).arg(&chain).args(rule);
    ends_with(command.arg("--data").arg(&data), 0);
    let server = Server::node(node_command(&data).args(rule));
    let pending = server.get("/transactions/pending").ok(200);
    assert_eq!(pending["count"], 1);
    assert_eq!(pending["transactions"][0]["sender"], "kept");
}

#[test]
fn an_open_address_without_a_token_gives_a_warning_and_no_token_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    fs::write(&secret, "from-a-file\n").unwrap();
    let data = folder.path().join("data");
    let run = |token: &[&str], environment: Option<&str>| {
        let mut command = node_command_on("0.0.0.0:0", &data);
        command.args(["--log-level", "debug", "--log-format", "json"]);
        command.args(token).stderr(Stdio::piped());
        if let Some(token) = environment {
            command.env("FOURZERO_TOKEN", token);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        let port = said["address"]
            .as_str()
            .unwrap()
            .rsplit(':')
            .next()
            .unwrap()
            .to_owned();
        let address = format!("127.0.0.1:{port}");
        let header = "Authorization: Bearer from-a-file";
        let answer = request(&address, "POST", "/nodes/register", &[header], "").unwrap();
        let kill = format!("kill -TERM {}", child.id());
        Command::new("sh").arg("-c").arg(kill).status().unwrap();
        (
            answer.status,
            String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap(),
        )
    };
    let (status, log) = run(&[], None);
    assert_eq!(status, 415);
    assert!(log.contains("\"level\":\"WARN\""), "{log}");
    assert!(log.contains("--token"), "{log}");
    let file = secret.display().to_string();
    for (token, environment, expected) in [
        (&["--token-file", file.as_str()][..], None, 415),
        (&["--token", "another"], None, 401),
        (&[], Some("from-a-file"), 415),
    ] {
        let (status, log) = run(token, environment);
        assert_eq!(status, expected);
        assert!(!log.contains("WARN"), "{log}");
        assert!(
            log.contains("/nodes/register"),
            "requests are logged: {log}"
        );
        assert!(
            !log.contains("from-a-file") && !log.contains("another"),
            "{log}"
        );
        for line in log.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
    }
}

#[test]
fn a_token_file_may_have_a_byte_order_mark_but_must_be_one_line_of_utf_8() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let data = folder.path().join("data");
    fs::write(&file, "\u{feff}  s3cret é\r\n").unwrap();
    let server = Server::node(node_command(&data).arg("--token-file").arg(&file));
    for (header, is_right) in [
        ("Bearer s3cret é", true),
        ("bearer  s3cret é", true),
        // The client read the file, too.
        ("Bearer \u{feff}s3cret é", true),
        ("Bearer s3cret", false),
        ("s3cret é", false),
        ("Basic s3cret é", false),
    ] {
        let header = format!("Authorization: {header}");
        let answer = request(&server.address, "GET", "/nodes/resolve", &[&header], "").unwrap();
        assert_eq!(answer.status, if is_right { 200 } else { 401 }, "{header}");
    }
    drop(server);

    let utf_16 = |text: &str, bytes: fn(u16) -> [u8; 2]| {
        text.encode_utf16().flat_map(bytes).collect::<Vec<_>>()
    };
    for bytes in [
        utf_16("\u{feff}s3cret", u16::to_le_bytes),
        utf_16("\u{feff}s3cret", u16::to_be_bytes),
        utf_16("s3cret", u16::to_le_bytes),
        utf_16("s3cret", u16::to_be_bytes),
        b"s3cr\xe9t".to_vec(),
        b"s3cret\nanother".to_vec(),
        b"\xef\xbb\xbf\r\n".to_vec(),
    ] {
        fs::write(&file, &bytes).unwrap();
        let mut command = fourzero();
        command.args(["node", "--listen", "127.0.0.1:0", "--token-file"]);
        let (stdout, _) = ends_with(command.arg(&file).arg("--data").arg(&data), 2);
        assert_eq!(stdout, "", "{bytes:?}");
    }
}

#[test]
fn the_start_prints_one_line_that_names_the_address_and_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    for (options, rule) in [
        (&[][..], "last-proof"),
        (&["--rule", "last-hash"], "last-hash"),
        (&["--log-format", "json"], "last-proof"),
        (&["--json"], "last-proof"),
        (&["--json", "--log-format", "json"], "last-proof"),
    ] {
        let data = folder.path().join(rule);
        let log = folder.path().join("log");
        let mut child = Command::new(assert_cmd::cargo::cargo_bin!("fourzero"))
            .args(["node", "--port", "0"])
            .args(options)
            .arg("--data")
            .arg(&data)
            .env_remove("FOURZERO_TOKEN")
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut stdout = std::io::BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut stdout, &mut line).unwrap();
        let address = match serde_json::from_str::<Value>(&line) {
            Ok(said) => {
                assert!(options.contains(&"--json"));
                assert_eq!(said["rule"], rule);
                said["address"].as_str().unwrap().to_owned()
            }
            Err(_) => {
                assert!(!options.contains(&"--json"));
                assert!(line.contains(&format!("rule {rule}")), "{line}");
                line.split(' ').next().unwrap().to_owned()
            }
        };
        let address = address.strip_prefix("http://").unwrap();
        let health = request(address, "GET", "/health", &[], "").unwrap();
        assert_eq!(health.ok(200)["rule"], rule);
        child.kill().unwrap();
        child.wait().unwrap();
        std::io::Read::read_to_string(&mut stdout, &mut line).unwrap();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert_eq!(fs::read_to_string(&log).unwrap(), "");
    }
}

#[test]
fn the_database_can_be_queried_as_the_readme_says() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::node(node_command(folder.path()).args(["--difficulty", "3"]));
    let body = json!({"sender": "alice", "recipient": "bob", "amount": 2.5}).to_string();
    server.post("/transactions/new", &body).ok(201);
    server.get("/mine").ok(200);
    server.post("/transactions/new", &body).ok(201);
    let connection = rusqlite::Connection::open(folder.path().join("node.sqlite3")).unwrap();
    let number = |sql: &str| -> f64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(number("SELECT count(*) + 0.0 FROM blocks"), 2.0);
    assert_eq!(
        number("SELECT sum(amount) FROM transactions WHERE sender = 'alice'"),
        2.5
    );
    assert_eq!(
        number("SELECT max(place) + 0.0 FROM transactions WHERE block = 2"),
        2.0
    );
    assert_eq!(
        number("SELECT count(*) + 0.0 FROM pending WHERE recipient = 'bob'"),
        1.0
    );
    let [text, hash]: [String; 2] = connection
        .query_row(
            "SELECT text, hash FROM blocks WHERE number = 2",
            [],
            |row| Ok([row.get(0)?, row.get(1)?]),
        )
        .unwrap();
    assert_eq!(
        fourzero::sha256::Digest::of(text.as_bytes()).to_string(),
        hash
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_name_need_not_be_utf_8() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join(std::ffi::OsStr::from_bytes(b"n\xff"));
    let server = Server::node(node_command(&data).args(["--difficulty", "3"]));
    server.get("/mine").ok(200);
    assert_eq!(server.get("/chain").ok(200)["length"], 2);
    assert_eq!(server.get("/balances/0").ok(200)["sent"], 1);
}
