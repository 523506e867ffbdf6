use tokio::sync::watch;

/// Asks everything that waits on a [`Shutdown`] to end. Dropping it asks, too.
#[derive(Debug)]
pub struct ShutdownTrigger(watch::Sender<bool>);

impl ShutdownTrigger {
    /// Asks for the shutdown; again is harmless.
    pub fn shut_down(&self) {
        self.0.send_replace(true);
    }
}

/// The wish that the server should end, handed to everything that runs for long.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// A shutdown that has not been asked for, and what asks for it.
    pub fn new() -> (ShutdownTrigger, Self) {
        let (trigger, shutdown) = watch::channel(false);
        (ShutdownTrigger(trigger), Self(shutdown))
    }

    /// Returns as soon as the shutdown was asked for. May be dropped and called again.
    pub async fn requested(&mut self) {
        // An error says that the trigger is gone, and nobody could ask any more.
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}
