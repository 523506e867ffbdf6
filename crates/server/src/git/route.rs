//! Which request is for git, decided before any process starts.

use gangplank_onboarding::DeviceId;
use http::Method;

/// What the caller's credential allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Clone and fetch: a device.
    ReadOnly,
    /// Also push: the operator, on the admin listener only.
    ReadWrite,
}

/// One of the four requests of git's smart HTTP protocol (gitprotocol-http(5)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `GET info/refs?service=git-upload-pack`: what there is to fetch.
    UploadPackRefs,
    /// `POST git-upload-pack`: fetch.
    UploadPack,
    /// `GET info/refs?service=git-receive-pack`: what there is to push over.
    ReceivePackRefs,
    /// `POST git-receive-pack`: push.
    ReceivePack,
}

/// A device's repository and what is asked of it. Made by [`Route::parse`] only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    device: DeviceId,
    service: Service,
}

impl Route {
    /// Reads `/git/{deviceId}.git/{service}` from the path as it came, not decoded, and the query.
    ///
    /// `None` for everything but the four requests of [`Service`]: the dumb protocol's files, another method, a
    /// query with other parameters, and every percent-encoding (a device id needs none, so each repository has one
    /// spelling and an encoded `/` or `..` none at all). Answer 404.
    #[must_use]
    pub fn parse(method: &Method, path: &str, query: Option<&str>) -> Option<Self> {
        let (repository, rest) = path.strip_prefix(PREFIX)?.split_once('/')?;
        let device = DeviceId::parse(repository.strip_suffix(".git")?).ok()?;
        let service = match (method.as_str(), rest, query) {
            ("GET", "info/refs", Some("service=git-upload-pack")) => Service::UploadPackRefs,
            ("GET", "info/refs", Some("service=git-receive-pack")) => Service::ReceivePackRefs,
            ("POST", "git-upload-pack", None) => Service::UploadPack,
            ("POST", "git-receive-pack", None) => Service::ReceivePack,
            _ => return None,
        };
        Some(Self { device, service })
    }

    /// Whose repository is asked for. The caller compares it with the device the credential belongs to.
    #[must_use]
    pub fn device(&self) -> &DeviceId {
        &self.device
    }

    /// What is asked of it.
    #[must_use]
    pub fn service(&self) -> Service {
        self.service
    }
}

impl Service {
    /// Whether a credential of this access may ask for it.
    #[must_use]
    pub fn allowed(self, access: Access) -> bool {
        match self {
            Self::UploadPackRefs | Self::UploadPack => true,
            Self::ReceivePackRefs | Self::ReceivePack => access == Access::ReadWrite,
        }
    }

    /// The path within the repository, as `PATH_INFO` of the CGI program.
    pub(super) fn path_info(self) -> &'static str {
        match self {
            Self::UploadPackRefs | Self::ReceivePackRefs => "/info/refs",
            Self::UploadPack => "/git-upload-pack",
            Self::ReceivePack => "/git-receive-pack",
        }
    }

    pub(super) fn query(self) -> &'static str {
        match self {
            Self::UploadPackRefs => "service=git-upload-pack",
            Self::ReceivePackRefs => "service=git-receive-pack",
            Self::UploadPack | Self::ReceivePack => "",
        }
    }

    pub(super) fn method(self) -> &'static str {
        match self {
            Self::UploadPackRefs | Self::ReceivePackRefs => "GET",
            Self::UploadPack | Self::ReceivePack => "POST",
        }
    }

    /// The media type of the request's body; `None` where there is no body.
    pub(super) fn content_type(self) -> Option<&'static str> {
        match self {
            Self::UploadPackRefs | Self::ReceivePackRefs => None,
            Self::UploadPack => Some("application/x-git-upload-pack-request"),
            Self::ReceivePack => Some("application/x-git-receive-pack-request"),
        }
    }
}

/// Where the repositories hang in the server's path space.
pub const PREFIX: &str = "/git/";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: &str, path: &str, query: Option<&str>) -> Option<Service> {
        Route::parse(&method.parse().unwrap(), path, query).map(|route| route.service())
    }

    #[test]
    fn the_four_requests_are_routed() {
        let refs = "/git/d-1.git/info/refs";
        assert_eq!(
            parse("GET", refs, Some("service=git-upload-pack")),
            Some(Service::UploadPackRefs)
        );
        assert_eq!(
            parse("GET", refs, Some("service=git-receive-pack")),
            Some(Service::ReceivePackRefs)
        );
        assert_eq!(
            parse("POST", "/git/d-1.git/git-upload-pack", None),
            Some(Service::UploadPack)
        );
        assert_eq!(
            parse("POST", "/git/d-1.git/git-receive-pack", None),
            Some(Service::ReceivePack)
        );
        let route =
            Route::parse(&Method::POST, "/git/a:b=c~d.git.git/git-upload-pack", None).unwrap();
        assert_eq!(route.device().as_str(), "a:b=c~d.git");
    }

    #[test]
    fn everything_else_is_not() {
        let refs = "/git/d-1.git/info/refs";
        for (method, path, query) in [
            ("GET", refs, None),
            ("GET", refs, Some("")),
            ("GET", refs, Some("service=git-upload-archive")),
            ("GET", refs, Some("service=git-upload-pack&x=1")),
            ("GET", refs, Some("x=1&service=git-upload-pack")),
            (
                "GET",
                refs,
                Some("service=git-upload-pack&service=git-receive-pack"),
            ),
            ("GET", refs, Some("service=git%2Dupload-pack")),
            ("POST", refs, Some("service=git-upload-pack")),
            ("HEAD", refs, Some("service=git-upload-pack")),
            ("GET", "/git/d-1.git/git-upload-pack", None),
            ("POST", "/git/d-1.git/git-upload-pack", Some("")),
            ("POST", "/git/d-1.git/git-upload-pack/", None),
            ("POST", "/git/d-1.git/git-upload-archive", None),
            ("GET", "/git/d-1.git/HEAD", None),
            ("GET", "/git/d-1.git/config", None),
            ("GET", "/git/d-1.git/objects/info/packs", None),
            ("GET", "/git/d-1/info/refs", Some("service=git-upload-pack")),
            (
                "GET",
                "/git/.git/info/refs",
                Some("service=git-upload-pack"),
            ),
            (
                "GET",
                "/git/...git/info/refs",
                Some("service=git-upload-pack"),
            ),
            (
                "GET",
                "/git//d-1.git/info/refs",
                Some("service=git-upload-pack"),
            ),
            (
                "GET",
                "/git/../d-1.git/info/refs",
                Some("service=git-upload-pack"),
            ),
            (
                "GET",
                "/git/x/../d-1.git/info/refs",
                Some("service=git-upload-pack"),
            ),
            (
                "GET",
                "/git/d%2d1.git/info/refs",
                Some("service=git-upload-pack"),
            ),
            (
                "GET",
                "/git/x%2F..%2Fd-1.git/info/refs",
                Some("service=git-upload-pack"),
            ),
            (
                "GET",
                "/git/d-1.git%2Finfo/refs",
                Some("service=git-upload-pack"),
            ),
            (
                "GET",
                "/git/d-1.git/info/../info/refs",
                Some("service=git-upload-pack"),
            ),
        ] {
            assert_eq!(
                parse(method, path, query),
                None,
                "{method} {path} {query:?}"
            );
        }
    }

    #[test]
    fn a_device_may_not_push() {
        for service in [Service::ReceivePackRefs, Service::ReceivePack] {
            assert!(!service.allowed(Access::ReadOnly));
            assert!(service.allowed(Access::ReadWrite));
        }
        assert!(Service::UploadPackRefs.allowed(Access::ReadOnly));
        assert!(Service::UploadPack.allowed(Access::ReadOnly));
    }
}
