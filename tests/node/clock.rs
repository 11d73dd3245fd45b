//! Protects the node from a clock that is far off: before 1970, past 9999.

#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::support::{PATIENCE, Server, node_command};

/// A library that gives a program the time in the file `TEST_TIME`.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t id, struct timespec *time) {
    if (id != CLOCK_REALTIME) return syscall(SYS_clock_gettime, id, time);
    char text[64] = {0};
    int file = open(getenv("TEST_TIME"), O_RDONLY);
    if (file < 0 || read(file, text, sizeof text - 1) < 1) abort();
    close(file);
    *time = (struct timespec){atoll(text), 500000000};
    return 0;
}
"#;

/// Compiles the library; `None` where there is no C compiler.
fn shim(folder: &Path) -> Option<PathBuf> {
    let [source, library] = ["clock.c", "clock.so"].map(|name| folder.join(name));
    fs::write(&source, SHIM).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    if compiled.is_ok_and(|status| status.success()) {
        return Some(library);
    }
    eprintln!("skipped: there is no C compiler");
    None
}

#[test]
fn a_clock_that_http_cannot_write_gets_an_answer_until_it_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = shim(folder.path()) else {
        return;
    };
    let [data, log, time] = ["data", "log", "time"].map(|name| folder.path().join(name));
    let set = |seconds: &str| {
        let new = folder.path().join("new");
        fs::write(&new, seconds).unwrap();
        fs::rename(&new, &time).unwrap();
    };
    // A node can even start and be new.
    set("-315619200");
    let mut server = Server::node(
        node_command(&data)
            .args(["--difficulty", "2"])
            .env("LD_PRELOAD", &library)
            .env("TEST_TIME", &time)
            .stderr(File::create(&log).unwrap()),
    );
    let transaction = json!({"sender": "s", "recipient": "r", "amount": 1}).to_string();
    let mut blocks = 1;
    for outside in [
        "-1",
        "-315619200",
        "253402300800",
        "67767976233532799",
        "-67768040609740800",
    ] {
        for inside in ["0", "253402300799", "1796000000"] {
            set(inside);
            server.post("/transactions/new", &transaction).ok(201);
            let mined = server.get("/mine");
            blocks += 1;
            assert_eq!(mined.ok(200)["index"], blocks);
            assert!(mined.head.contains("date: "), "{mined:?}");
            let block = server.get("/blocks/latest").ok(200);
            let timestamp = inside.parse::<f64>().unwrap() + 0.5;
            assert_eq!(block["timestamp"], timestamp);
        }
        let mut open = TcpStream::connect(&server.address).unwrap();
        open.set_read_timeout(Some(PATIENCE)).unwrap();
        let ask = "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n";
        open.write_all(ask.as_bytes()).unwrap();
        assert_ne!(open.read(&mut [0; 16]).unwrap(), 0);

        set(outside);
        for answer in [
            server.get("/health"),
            server.post("/transactions/new", &transaction),
        ] {
            assert_eq!(answer.ok(503)["error"], "clock", "{outside}");
        }
        // It ends, with or without an error, once it asks again.
        let _ = open.write_all(ask.as_bytes());
        let _ = open.read_to_end(&mut Vec::new());
    }
    set("-1");
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
    let log = fs::read_to_string(log).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    // Once for each time that it became so.
    assert_eq!(log.matches("ERROR").count(), 5, "{log}");
    assert!(log.contains("+10000-01-01T"), "{log}");
}
