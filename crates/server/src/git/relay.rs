//! Both directions of one `git http-backend`, in a task of its own that ends with the client or a limit.

use std::{io, process::ExitStatus, time::Duration};

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Limited};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{ChildStderr, ChildStdin, ChildStdout, Command},
    sync::{OwnedSemaphorePermit, mpsc},
    time,
};

use super::{
    backend::{BackendError, Limits, Turn},
    cgi::{self, Head},
    process::{Pipes, Process},
    repositories::last_words,
    request,
};

/// What the program reads.
pub(super) enum Input {
    Whole(Bytes),
    Stream { body: Body, limit: usize },
}

/// What the program writes: its head, its body, and that this was all of it.
pub(super) enum Event {
    Head(Head),
    Chunk(Bytes),
    End,
}

pub(super) type Events = mpsc::Receiver<Result<Event, BackendError>>;
type Sender = mpsc::Sender<Result<Event, BackendError>>;

/// Starts the program. The task ends, and the program with it, when the receiver is dropped.
pub(super) fn start(
    command: Command,
    input: Input,
    limits: &Limits,
    held: (Turn, OwnedSemaphorePermit),
) -> io::Result<Events> {
    let (process, pipes) = Process::start(command)?;
    let (sender, events) = mpsc::channel(CHUNKS_AHEAD);
    let limits = *limits;
    tokio::spawn(async move {
        let _held = held;
        tokio::select! {
            () = sender.closed() => tracing::debug!("the git client went away"),
            ended = time::timeout(limits.time, run(process, pipes, input, &limits, &sender)) => {
                let error = match ended {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => error,
                    Err(_) => BackendError::TimedOut,
                };
                // For a client that takes nothing, the missing end says the same.
                let _ = time::timeout(limits.stall, sender.send(Err(error))).await;
            }
        }
    });
    Ok(events)
}

async fn run(
    mut process: Process,
    pipes: Pipes,
    input: Input,
    limits: &Limits,
    sender: &Sender,
) -> Result<(), BackendError> {
    let Pipes {
        stdin,
        stdout,
        stderr,
    } = pipes;
    let said = tokio::spawn(listen(stderr));
    let relayed = tokio::try_join!(feed(stdin, input), forward(stdout, limits, sender));
    if let Err(error) = relayed {
        drop(process);
        let said = time::timeout(LAST_WORDS, said)
            .await
            .ok()
            .and_then(Result::ok)
            .unwrap_or_default();
        tracing::warn!(%error, message = last_words(&said), "git http-backend was ended");
        return Err(error);
    }
    let status = process.wait().await?;
    report(status, &said.await.unwrap_or_default());
    if status.code().is_none() {
        // By signal: what was sent may be half an answer. A plain failure told the client in git's own protocol.
        return Err(BackendError::Failed);
    }
    send(sender, limits, Event::End).await
}

async fn feed(mut stdin: ChildStdin, input: Input) -> Result<(), BackendError> {
    match input {
        Input::Whole(bytes) => written(stdin.write_all(&bytes).await).map(drop),
        Input::Stream { body, limit } => {
            let mut body = Limited::new(body, limit);
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| request::broken(&*error, limit))?;
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                if !written(stdin.write_all(&data).await)? {
                    break;
                }
            }
            Ok(())
        }
    }
}

/// A program that stopped reading has its reasons, and says them in its answer.
fn written(result: io::Result<()>) -> Result<bool, BackendError> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error.into()),
    }
}

async fn forward(
    mut stdout: ChildStdout,
    limits: &Limits,
    sender: &Sender,
) -> Result<(), BackendError> {
    let mut output = BytesMut::new();
    let head = loop {
        if let Some((head, length)) = cgi::parse(&output).map_err(|_| BackendError::Failed)? {
            let _head = output.split_to(length);
            break head;
        }
        if read(&mut stdout, &mut output).await? == 0 {
            return Err(BackendError::Failed);
        }
    };
    if output.is_empty() {
        // git writes the head before it reads the body. Holding it until there is more lets a body that proves too
        // large still be answered with a status.
        read(&mut stdout, &mut output).await?;
    }
    send(sender, limits, Event::Head(head)).await?;
    while !output.is_empty() {
        send(sender, limits, Event::Chunk(output.split().freeze())).await?;
        read(&mut stdout, &mut output).await?;
    }
    Ok(())
}

async fn read(stdout: &mut ChildStdout, output: &mut BytesMut) -> io::Result<usize> {
    output.reserve(CHUNK);
    stdout.read_buf(output).await
}

async fn send(sender: &Sender, limits: &Limits, event: Event) -> Result<(), BackendError> {
    let sent = time::timeout(limits.stall, sender.send(Ok(event))).await;
    // A receiver that is gone ends the whole task before this is seen.
    sent.map_err(|_| BackendError::TimedOut)?
        .map_err(|_| BackendError::Failed)
}

/// Keeps the first part, reads on to the end so that the program is not held up.
async fn listen(mut stderr: ChildStderr) -> Vec<u8> {
    let mut said = Vec::new();
    let most = u64::try_from(CHUNK).unwrap_or(u64::MAX);
    let _ = (&mut stderr).take(most).read_to_end(&mut said).await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    said
}

fn report(status: ExitStatus, said: &[u8]) {
    let message = last_words(said);
    if !status.success() {
        tracing::warn!(%status, message, "git http-backend failed");
    } else if !message.is_empty() {
        tracing::debug!(message, "git http-backend");
    }
}

/// For the pipe of a program that was just killed to run dry.
const LAST_WORDS: Duration = Duration::from_secs(1);
const CHUNK: usize = 32 * 1024;
/// Bytes that wait for a slow client: this many chunks at most.
const CHUNKS_AHEAD: usize = 4;
