use gangplank_key::{CertificateDer, CryptoRng, Signature};

use crate::{Aboard, DeviceState, Now, Onboarding, Operation, Response, Step, Stopped, Trouble};

/// What [`Onboarding`] and [`Operation`] have in common, for whoever drives them.
pub(crate) trait Machine {
    type Output;

    fn next(&mut self, now: Now, rng: &mut dyn CryptoRng) -> Result<Step<Self::Output>, Stopped>;
    fn signed(&mut self, signature: &Signature);
    fn receive(&mut self, response: &Response, now: Now);
    fn lost(&mut self, now: Now);
    fn trouble(&mut self) -> Option<&Trouble>;
    fn unsaved(&mut self) -> Option<DeviceState>;
    fn root(&self) -> Option<CertificateDer<'static>>;
}

macro_rules! machine {
    ([$($generic:tt)*] $type:ty, $output:ty) => {
        impl<$($generic)*> Machine for $type {
            type Output = $output;

            fn next(&mut self, now: Now, rng: &mut dyn CryptoRng) -> Result<Step<$output>, Stopped> {
                self.next(now, rng)
            }
            fn signed(&mut self, signature: &Signature) {
                self.signed(signature);
            }
            fn receive(&mut self, response: &Response, now: Now) {
                self.receive(response, now);
            }
            fn lost(&mut self, now: Now) {
                self.lost(now);
            }
            fn trouble(&mut self) -> Option<&Trouble> {
                <$type>::trouble(self)
            }
            fn unsaved(&mut self) -> Option<DeviceState> {
                self.unsaved()
            }
            fn root(&self) -> Option<CertificateDer<'static>> {
                <$type>::root(self).cloned()
            }
        }
    };
}

machine!([] Onboarding, Aboard);
machine!([T] Operation<'_, T>, T);
