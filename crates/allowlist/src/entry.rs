/// What a list says of a digest that it has. Nothing said is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry<'l> {
    /// Unix seconds from which on it counts.
    pub not_before: Option<u64>,
    /// Unix seconds at which it counts no more.
    pub expires: Option<u64>,
    /// The only tenant for whose devices it counts.
    pub tenant: Option<&'l str>,
    /// The only repository that the image may be named after: domain and path, as written.
    pub repository: Option<&'l str>,
    /// Who put it on the list.
    pub owner: Option<&'l str>,
    /// Why it is on the list.
    pub reason: Option<&'l str>,
}
