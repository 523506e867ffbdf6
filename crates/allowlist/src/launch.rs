mod fault;
mod options;
mod strict;
mod table;

use core::fmt;

pub use fault::LaunchFault;

use self::options::Reader;
use self::table::Place;
use crate::{Allowlist, Denied, NotPinned, Permit, PinnedImage};

/// A command line that starts a container, and which of its arguments is the image.
///
/// `docker`, `podman` and `nerdctl` with `run` or `create` are read by their own grammar of options. What
/// could be read in two ways is refused: an option that is not known may take a value or not.
///
/// It borrows the arguments, so that nobody can change them between the check and the start:
///
/// ```compile_fail,E0506
/// use gangplank_allowlist::{Launch, OptionPolicy};
///
/// let mut arguments = ["docker", "run", "a@sha256:fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752"];
/// let launch = Launch::parse(&arguments, OptionPolicy::Strict).unwrap();
/// arguments[2] = "evil:latest";
/// println!("{}", launch.image());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch<'a> {
    arguments: &'a [&'a str],
    image_at: usize,
    image: PinnedImage<'a>,
}

/// What a policy says of the options of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionPolicy {
    /// Options are not judged: a permitted image may be given the whole host. As the Secure Manager had
    /// it.
    Compat,
    /// Only options that give a container nothing of the host but ports, processor and memory; volumes by
    /// name only.
    Strict,
}

/// Who gives a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// Who starts it, too: its environment is the caller's own.
    Starts,
    /// Somebody else, who asks that it be started.
    Asks,
}

impl<'a> Launch<'a> {
    /// Reads a program and its arguments. What follows the image goes to the container.
    ///
    /// # Errors
    /// [`LaunchFault`]: what is wrong, and in which argument.
    pub fn parse(arguments: &'a [&'a str], policy: OptionPolicy) -> Result<Self, LaunchFault<'a>> {
        Self::read(arguments, policy, Caller::Starts)
    }

    fn read(
        arguments: &'a [&'a str],
        policy: OptionPolicy,
        caller: Caller,
    ) -> Result<Self, LaunchFault<'a>> {
        let program = arguments.first().copied().unwrap_or_default();
        let name = match program.strip_prefix('/') {
            Some(path) => path.rsplit('/').next().unwrap_or_default(),
            None => program,
        };
        if !PROGRAMS.contains(&name) {
            return Err(LaunchFault::Program);
        }
        let mut reader = Reader {
            arguments,
            at: 1,
            policy,
            caller,
        };
        reader.skip_options(Place::Global)?;
        if arguments.get(reader.at) == Some(&"container") {
            reader.at += 1;
        }
        let Some(&("run" | "create")) = arguments.get(reader.at) else {
            return Err(LaunchFault::Verb { at: reader.at });
        };
        reader.at += 1;
        reader.skip_options(Place::Run)?;
        let at = reader.at;
        let text = arguments.get(at).ok_or(LaunchFault::NoImage)?;
        Ok(Self {
            arguments,
            image_at: at,
            image: image(text, at)?,
        })
    }

    /// Reads an `ExecCmd` of the Secure Manager: the program by its name alone, and the image last. Under the
    /// strict policy a variable of the container has its value with it (`-e A=b`): that of the same name where
    /// the container is started (`-e A`) is not the caller's.
    ///
    /// # Errors
    /// [`LaunchFault`]: what is wrong, and in which argument.
    pub fn parse_exec_cmd(
        arguments: &'a [&'a str],
        policy: OptionPolicy,
    ) -> Result<Self, LaunchFault<'a>> {
        if arguments
            .first()
            .is_some_and(|program| program.contains('/'))
        {
            return Err(LaunchFault::Program);
        }
        let launch = Self::read(arguments, policy, Caller::Asks)?;
        let at = launch.image_at + 1;
        match arguments.get(at) {
            None => Ok(launch),
            Some(_) => Err(LaunchFault::Unexpected { at }),
        }
    }

    /// The image.
    pub const fn image(&self) -> &PinnedImage<'a> {
        &self.image
    }

    /// Which of the arguments it is; the program is 0.
    pub const fn image_at(&self) -> usize {
        self.image_at
    }

    /// Asks a list about the image.
    ///
    /// # Errors
    /// [`Denied`], as [`Allowlist::permit`] has it.
    pub fn permit<'l: 'a>(self, list: &Allowlist<'l>) -> Result<PermittedLaunch<'a>, Denied> {
        Ok(PermittedLaunch {
            permit: list.permit(self.image)?,
            arguments: self.arguments,
        })
    }
}

/// A command line whose image may run: what was checked is what there is to start.
///
/// Only [`Launch::permit`] makes one, and it cannot be cloned.
#[derive(Debug)]
#[must_use = "a permitted launch starts nothing by itself"]
pub struct PermittedLaunch<'a> {
    permit: Permit<'a>,
    arguments: &'a [&'a str],
}

impl<'a> PermittedLaunch<'a> {
    /// What the list said.
    pub const fn permit(&self) -> &Permit<'a> {
        &self.permit
    }

    /// The program and its arguments, every one as it was checked.
    pub const fn arguments(&self) -> &'a [&'a str] {
        self.arguments
    }
}

/// One line for a log, without the arguments: they may have secrets.
impl fmt::Display for PermittedLaunch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.permit.fmt(f)
    }
}

fn image<'a>(text: &'a str, at: usize) -> Result<PinnedImage<'a>, LaunchFault<'a>> {
    let not_pinned = |source: NotPinned| LaunchFault::NotPinned { at, source };
    let image = PinnedImage::parse(text).map_err(not_pinned)?;
    // Podman reads `oci:tag@sha256:…` as a folder `tag@sha256`, and `oci:8080/app@sha256:…` as one below
    // `8080`: what stands before the first colon decides.
    match text.split_once(':') {
        Some((transport, _)) if TRANSPORTS.contains(&transport) => {
            Err(LaunchFault::NotFromRegistry { at })
        }
        _ => Ok(image),
    }
}

const PROGRAMS: [&str; 3] = ["docker", "podman", "nerdctl"];

/// What stands before a colon where it is no name (containers-transports(5)). `docker:` needs two slashes.
const TRANSPORTS: [&str; 10] = [
    "atomic",
    "containers-storage",
    "dir",
    "docker-archive",
    "docker-daemon",
    "oci",
    "oci-archive",
    "ostree",
    "sif",
    "tarball",
];

#[cfg(test)]
mod tests;
