use super::*;

const A: &str = "fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752";
const B: &str = "1834bdb494c6150a9861cf32432df7c5d93fe2bc99e008da83a57a318dc207d7";

fn digest(hex: &str) -> ImageDigest {
    ImageDigest::from_hex(hex.as_bytes()).unwrap()
}

fn read(text: &str) -> Vec<(usize, Result<ImageDigest, LineFault>)> {
    lines(text.as_bytes()).collect()
}

#[test]
fn what_people_write_is_read() {
    let upper = A.to_uppercase();
    for text in [
        format!("{A}\n{B}\n"),
        format!("{A}\n{B}"),
        format!("{A}\r\n{B}\r\n"),
        format!("{upper}\n{B}\n"),
        format!(" \t{A}\t \n{B} \r\n"),
    ] {
        let expected = vec![(1, Ok(digest(A))), (2, Ok(digest(B)))];
        assert_eq!(read(&text), expected, "{text:?}");
    }
    let gaps = format!("\n# a comment\n{A}\n \t\n\r\n  # {B}\n{B}");
    assert_eq!(read(&gaps), vec![(3, Ok(digest(A))), (7, Ok(digest(B)))]);
    for nothing in ["", "\n", "\r\n", " ", "#"] {
        assert_eq!(read(nothing), vec![], "{nothing:?}");
    }
}

#[test]
fn other_lines_are_faults_and_the_rest_is_read() {
    for (line, fault) in [
        (format!("sha256:{A}"), LineFault::Prefix),
        (A[1..].to_owned(), LineFault::Length(63)),
        (format!("{A}{B}"), LineFault::Length(128)),
        (format!("{A} {B}"), LineFault::Length(129)),
        (format!("{A} # mine"), LineFault::Length(71)),
        (format!("{A}\r\r"), LineFault::Length(65)),
        (format!("\u{feff}{A}"), LineFault::Length(67)),
        (format!("  {}g", &A[1..]), LineFault::NotHex(65)),
        (format!("{}\0", &A[1..]), LineFault::NotHex(63)),
        (format!("{} {}", &A[..31], &A[..32]), LineFault::NotHex(31)),
    ] {
        let found = read(&format!("{B}\n{line}\n{A}\n"));
        let expected = vec![(1, Ok(digest(B))), (2, Err(fault)), (3, Ok(digest(A)))];
        assert_eq!(found, expected, "{line:?}");
    }
}

#[test]
fn a_line_is_written_as_it_is_read() {
    let written = [line(&digest(A)), line(&digest(B))].concat();
    assert_eq!(written, format!("{A}\n{B}\n").into_bytes());
}
