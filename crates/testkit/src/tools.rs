//! Outside programs: the origin of expected bytes that our own code did not make.

use std::io::{ErrorKind, Write};
use std::process::{Command, Output, Stdio};
use std::thread;

use tempfile::TempDir;

/// Runs `openssl` with `arguments`, feeds it `stdin` and returns what it printed.
///
/// Prints a line and yields `None` when the program is absent.
///
/// # Panics
/// When it fails; the message has what it wrote to its standard error.
#[must_use]
pub fn openssl(arguments: &[&str], stdin: &[u8]) -> Option<Vec<u8>> {
    run("openssl", arguments, stdin).map(|output| succeeded("openssl", arguments, output))
}

/// Runs `openssl` like [`openssl()`], and returns whether it ended with success: for its word on a
/// signature or a chain.
#[must_use]
pub fn openssl_accepts(arguments: &[&str], stdin: &[u8]) -> Option<bool> {
    run("openssl", arguments, stdin).map(|output| output.status.success())
}

/// Runs `python3 -c script`, feeds it `stdin` and returns what it printed.
///
/// Prints a line and yields `None` when the program is absent.
///
/// # Panics
/// When it fails; the message has what it wrote to its standard error.
#[must_use]
pub fn python(script: &str, stdin: &[u8]) -> Option<Vec<u8>> {
    let arguments = ["-c", script];
    run("python3", &arguments, stdin).map(|output| succeeded("python3", &arguments, output))
}

/// A new empty folder, removed with all its files when the value is dropped.
///
/// # Panics
/// When none can be made.
#[must_use]
pub fn temp_dir() -> TempDir {
    tempfile::Builder::new()
        .prefix("gangplank-")
        .tempdir()
        .expect("a temporary folder")
}

fn run(program: &str, arguments: &[&str], stdin: &[u8]) -> Option<Output> {
    let spawned = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("check by {program} not run: program absent");
            return None;
        }
        Err(error) => panic!("{program}: {error}"),
    };
    let mut pipe = child.stdin.take().expect("standard input was asked for");
    // Written beside the reading, or both sides could wait for room in a pipe.
    let output = thread::scope(|scope| {
        scope.spawn(move || {
            // A program that needs no input may be gone already; its exit status tells.
            let _ = pipe.write_all(stdin);
        });
        child.wait_with_output()
    });
    Some(output.expect("output of a child process"))
}

fn succeeded(program: &str, arguments: &[&str], output: Output) -> Vec<u8> {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}\n{complaint}",
        output.status
    );
    output.stdout
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_input_and_output_do_not_block() {
        let input = vec![b'x'; 1 << 20];
        if let Some(output) = python("import sys\nsys.stdout.write(sys.stdin.read())", &input) {
            assert_eq!(output, input);
        }
    }

    #[test]
    fn absent_program_is_none() {
        assert!(run("gangplank-no-such-program", &[], b"").is_none());
    }

    #[test]
    #[should_panic(expected = "no-such-option")]
    fn failure_is_told() {
        let ran = openssl(&["x509", "-no-such-option"], b"");
        assert!(ran.is_some(), "no-such-option: openssl is absent");
    }
}
