//! Protects the node from a log that nobody reads: it answers, counts the lines
//! that it drops, says so once it is read, and stops.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;

use serde_json::Value;

use crate::full_pipe::full_pipe;
use crate::support::{PATIENCE, Server, node_command};

/// More calls than lines may wait.
const CALLS: usize = 6_000;

/// Makes many calls on one connection, and returns how many succeeded.
fn successes(address: &str) -> usize {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut writer = stream.try_clone().unwrap();
    let call = |more: &str| format!("GET /nodes HTTP/1.1\r\nHost: {address}\r\n{more}\r\n");
    let calls = call("").repeat(CALLS - 1) + &call("Connection: close\r\n");
    let writing = thread::spawn(move || writer.write_all(calls.as_bytes()).unwrap());
    let mut answers = String::new();
    stream.read_to_string(&mut answers).unwrap();
    writing.join().unwrap();
    answers.matches("HTTP/1.1 200 OK").count()
}

fn dropped_lines(server: &Server) -> u64 {
    let metrics = server.get("/metrics").body;
    let mut lines = metrics.lines();
    let count = lines.find_map(|line| line.strip_prefix("fourzero_log_lines_dropped_total "));
    count.expect("the metric is there").parse().unwrap()
}

#[test]
fn a_log_that_nobody_reads_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (signal, code) in [("TERM", 0), ("INT", 130)] {
        let (_unread, stderr) = full_pipe();
        let mut command = node_command(folder.path());
        command.args(["--difficulty", "2"]).stderr(stderr);
        let mut server = Server::node_with_log(&mut command, "debug");
        assert_eq!(dropped_lines(&server), 0);
        assert_eq!(successes(&server.address), CALLS);
        server.get("/mine").ok(200);
        server.get("/health").ok(200);
        assert!(dropped_lines(&server) > 0);
        server.signal(signal);
        assert_eq!(server.wait(), Some(code));
    }
}

#[test]
fn the_log_says_how_many_lines_were_dropped_once_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (unread, stderr) = full_pipe();
    let mut command = node_command(folder.path());
    command.args(["--log-format", "json"]).stderr(stderr);
    let mut server = Server::node_with_log(&mut command, "debug");
    // Or its end of the pipe would stay open.
    drop(command);
    assert_eq!(successes(&server.address), CALLS);
    // The pipe was full of line breaks.
    let mut log = BufReader::new(unread)
        .lines()
        .map(Result::unwrap)
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let dropped = log
        .find_map(|line| line["lines"].as_u64())
        .expect("a line with the number");
    assert_eq!(dropped_lines(&server), dropped);
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    assert!(log.count() > 1, "the last lines are written before the end");
}
