use std::sync::Arc;

use gangplank_key::CertificateDer;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use super::clock::{SystemClock, TlsTime};

/// For the one GET of the bootstrap connection: whoever answers is taken, since its answer is compared
/// with a pin and nothing secret is sent.
pub(crate) fn unverified_bootstrap(clock: &Arc<SystemClock>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Arc::new(InsecureAcceptsAnyCertificate(Arc::clone(&provider)));
    config(provider, clock, verifier)
}

/// For everything else: the orchestrator's root, and roots that the operator added for transport.
pub(crate) fn verified(
    root: &CertificateDer<'static>,
    transport: &[CertificateDer<'static>],
    clock: &Arc<SystemClock>,
) -> Result<ClientConfig, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for certificate in std::iter::once(root).chain(transport) {
        roots.add(certificate.clone())?;
    }
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let verifier = Arc::new(ClockedVerifier {
        inner,
        clock: Arc::clone(clock),
    });
    config(provider, clock, verifier)
}

/// Whether a TLS peer's certificate was issued for a server by the orchestrator's root itself.
pub(crate) fn is_under_root(leaf: &[u8], root: &CertificateDer<'_>, clock: &SystemClock) -> bool {
    let leaf = CertificateDer::from(leaf);
    let Ok(anchor) = webpki::anchor_from_trusted_cert(root) else {
        return false;
    };
    let Ok(parsed) = webpki::EndEntityCert::try_from(&leaf) else {
        return false;
    };
    let provider = aws_lc_rs::default_provider();
    let verify = |time| {
        parsed
            .verify_for_usage(
                provider.signature_verification_algorithms.all,
                core::slice::from_ref(&anchor),
                &[],
                time,
                webpki::KeyUsage::server_auth(),
                None,
                None,
            )
            .map(|_| ())
    };
    match (verify(clock.tls_time().time()), clock.tls_time()) {
        (Ok(()), _) => true,
        // See `ClockedVerifier`.
        (Err(webpki::Error::CertNotValidYet { not_before, .. }), TlsTime::AtLeast(_)) => {
            verify(not_before).is_ok()
        }
        _ => false,
    }
}

fn config(
    provider: Arc<CryptoProvider>,
    clock: &Arc<SystemClock>,
    verifier: Arc<dyn ServerCertVerifier>,
) -> Result<ClientConfig, Error> {
    let time = Arc::new(ClockTime(Arc::clone(clock)));
    let mut config = ClientConfig::builder_with_details(provider, time)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    // A device makes few connections; each of them shows a certificate that is judged anew.
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[derive(Debug)]
struct ClockTime(Arc<SystemClock>);

impl TimeProvider for ClockTime {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0.tls_time().time())
    }
}

/// rustls' own verifier. Where the clock cannot be right, the time is only known to be at least the
/// latest authenticated one, so a certificate that begins later may well have begun; one that ended
/// before has ended.
#[derive(Debug)]
struct ClockedVerifier {
    inner: Arc<WebPkiServerVerifier>,
    clock: Arc<SystemClock>,
}

impl ServerCertVerifier for ClockedVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |time| {
            self.inner.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                time,
            )
        };
        let mut outcome = verify(now);
        let mut moment = now;
        // A path has at most eight certificates, each with one beginning.
        for _ in 0..8 {
            match (&outcome, self.clock.tls_time()) {
                (
                    Err(Error::InvalidCertificate(CertificateError::NotValidYetContext {
                        not_before,
                        ..
                    })),
                    TlsTime::AtLeast(_),
                ) if *not_before > moment => moment = *not_before,
                _ => break,
            }
            outcome = verify(moment);
        }
        outcome
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Accepts every certificate.
#[derive(Debug)]
struct InsecureAcceptsAnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for InsecureAcceptsAnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
