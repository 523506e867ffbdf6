//! The others who sign and verify whole messages. main.rs states versions, keys and bytes.

use gangplank_benches::material::Material;

use crate::row;
use gangplank_benches::race::Contestant;

mod coset;
mod httpsig;
#[cfg(feature = "josekit")]
mod josekit;
mod jsonwebtoken;

pub fn verify(material: &Material, size: usize) -> Vec<Contestant<'_>> {
    vec![
        row("jsonwebtoken", jsonwebtoken::verify(material, size)),
        #[cfg(feature = "josekit")]
        row("josekit", josekit::verify(material, size)),
        row("httpsig", httpsig::verify(material, size)),
        row("coset", coset::verify(material, size)),
    ]
}

pub fn sign(material: &Material, size: usize) -> Vec<Contestant<'_>> {
    vec![
        row("jsonwebtoken", jsonwebtoken::sign(material, size)),
        #[cfg(feature = "josekit")]
        row("josekit", josekit::sign(material, size)),
        row("httpsig", httpsig::sign(material, size)),
        row("coset", coset::sign(material, size)),
    ]
}
