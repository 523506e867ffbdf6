"""Writes vectors/hash-chain: logs whose lines have the hash of the line before.

Called from generate.py, whose helper it is given. It shares no code with gangplank: it follows the
documentation of crates/hash-chain.
"""

import hashlib
import json

SPEC = "gangplank-hash-chain, to the byte"
ZEROS = "0" * 64
RECORDS = [
    (1767225600, {"verdict": "permit"}),
    (1767225600, "a text with é, \" and \\ and \n in it"),
    (1767225660, None),
    (1767225661, [1, -2.5, {"a": {}}]),
]


def sha256(line):
    return hashlib.sha256(line.encode()).hexdigest()


def line(sequence, time, previous, payload):
    payload = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    return f'{{"sequence":{sequence},"time":{time},"previous":"{previous}","payload":{payload}}}'


def chain(records, sequence=0, previous=ZEROS):
    lines = []
    for time, payload in records:
        sequence += 1
        lines.append(line(sequence, time, previous, payload))
        previous = sha256(lines[-1])
    return lines


def text(lines):
    return "".join(one + "\n" for one in lines)


def head(lines, sequence=None):
    return f"{sequence or len(lines)}:{sha256(lines[-1])}"


def logs(write):
    def case(name, comment, expect, log, **inputs):
        write("hash-chain", name, comment, SPEC, expect, {"log": log, **inputs})

    def accept(name, comment, log, ends, **inputs):
        case(name, comment, "accept", log, ends=ends, **inputs)

    def refuse(code, name, comment, log, at, **inputs):
        case(name, comment, f"refuse: {code}", log, line=at, **inputs)

    lines = chain(RECORDS)
    log = text(lines)
    records = [{"time": time, "payload": payload} for time, payload in RECORDS]
    accept("whole", "four lines of four kinds of payload", log, head(lines), records=records)
    accept("empty", "a log without lines", "", f"0:{ZEROS}", records=[])
    accept("head-last", "the head that was kept is the last line's", log, head(lines), head=head(lines))
    accept("head-before", "lines were added since the head was kept", log, head(lines), head=head(lines[:2]))
    accept("head-start", "the head that was kept is of a log without lines", log, head(lines), head=f"0:{ZEROS}")
    accept("unfinished", "the last line has no LF: it is no line", log + lines[3][:40], head(lines), unfinished=40)
    accept("unfinished-whole", "all of the last line is there but its LF", log[:-1], head(lines[:3]), unfinished=len(lines[3].encode()))
    later = [(1767225600, 1), (1767225599, 2), (1767225700, 3)]
    accept("set-back", "the clock was set back: told, and no fault", text(chain(later)), head(chain(later)), setBack=2)
    after = head(lines[:2])
    accept("after", "the earlier lines are kept elsewhere", text(lines[2:]), head(lines), after=after)
    spaced = lines[0].replace('{"verdict":"permit"}', ' {"verdict" : "permit"} ')
    accept("spaces", "the payload is any JSON text, and hashed as it stands", spaced + "\n", head([spaced]))
    numbers = chain([(9007199254740991, 0)], 9007199254740990, "ab" * 32)
    accept("largest", "the largest number and the largest time", text(numbers), head(numbers, 9007199254740991), after="9007199254740990:" + "ab" * 32)
    long = chain([(0, "x" * (65536 - len(chain([(0, "")])[0]) - 1))])
    accept("longest", "65536 bytes with the LF", text(long), head(long))

    edited = [lines[0].replace("permit", "denied")] + lines[1:]
    refuse("hash", "edited", "a line was changed: the next one has another hash", text(edited), 2)
    refuse("hash", "edited-time", "a line's time was changed", text([lines[0], lines[1].replace("600", "601")] + lines[2:]), 3)
    refuse("head", "edited-last", "the last line was changed: only the head shows it", text(lines[:3] + [lines[3].replace("-2.5", "2.5")]), 4, head=head(lines))
    refuse("hash", "first-not-zeros", "the first line has a hash of something", text([line(1, 0, "ab" * 32, 0)]), 1)
    refuse("hash", "after-another", "another line was before", text(lines[2:]), 1, after=f"2:{sha256(lines[0])}")
    refuse("sequence", "left-out", "a line was left out", text(lines[:1] + lines[2:]), 2)
    refuse("sequence", "twice", "a line twice", text(lines[:2] + lines[1:]), 3)
    refuse("sequence", "swapped", "two lines in another order", text([lines[0], lines[2], lines[1], lines[3]]), 2)
    refuse("sequence", "from-0", "the first line has the number 0", text([line(0, 0, ZEROS, 0)]), 1)
    refuse("sequence", "begins-later", "the first lines were left out", text(lines[1:]), 1)
    refuse("shorter", "cut-off", "the last line was cut off", text(lines[:3]), 4, head=head(lines))
    refuse("shorter", "cut-off-lf", "and its LF alone", log[:-1], 4, head=head(lines))
    refuse("shorter", "cut-off-all", "no line is left", "", 1, head=head(lines))
    other = chain([(1767225600, "another log")] + RECORDS[1:])
    refuse("head", "another", "a whole log, and another one", text(other), 4, head=head(lines))
    refuse("head", "another-before", "as it was when the head was kept", text(other), 2, head=head(lines[:2]))

    def record(name, comment, log, at=1):
        refuse("record", name, comment, log, at)

    record("blank-line", "an empty line", text(lines[:2] + [""]), 3)
    record("carriage-return", "a line that ends with CR LF", text([lines[0] + "\r"]))
    record("space-outside", "white space outside the payload", text([lines[0].replace(",", ", ", 1)]))
    record("order", "members in another order", text([lines[0].replace('"sequence":1,"time":1767225600', '"time":1767225600,"sequence":1')]))
    record("member-more", "one member more", text([lines[0][:-1] + ',"more":1}']))
    record("member-twice", "a member twice", text([lines[0].replace('"sequence":1,', '"sequence":1,"sequence":1,')]))
    record("leading-zero", "a number with a leading zero", text([line("01", 0, ZEROS, 0)]))
    record("too-large-number", "a number that not all readers keep", text([line(1, 2**53, ZEROS, 0)]))
    record("fraction", "a time with a fraction", text([line(1, "1.0", ZEROS, 0)]))
    record("upper-case", "a hash in upper case", text([lines[0], lines[1].replace(sha256(lines[0]), sha256(lines[0]).upper())]), 2)
    record("no-payload", "no payload", text([lines[0].split('"payload":')[0] + '"payload":}']))
    record("payload-not-json", "a payload that is no JSON text", text([lines[0].replace('"permit"', "permit")]))
    record("too-long", "65537 bytes with the LF", text(chain([(0, "x" * (65537 - len(chain([(0, "")])[0]) - 1))])))
