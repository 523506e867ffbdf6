//! The ready driver behind the box, with its state file.

use std::time::Duration;

use gangplank_client::Backoff;
use gangplank_client::driver::Patience;
use serde_json::json;

use crate::forge::set_in_payload;
use crate::world::World;

/// Two refusals and a rewritten answer over a connection that only the extra root vouches for: the
/// driver goes on, and its file never shows what it was told.
pub async fn refused_by_the_box(world: &World) {
    let soon = Backoff {
        base: Duration::from_millis(1),
        cap: Duration::from_millis(1),
    };
    let device = world.site.new_device("SN-driver", Some(&world.proxy)).await;
    let mut device = device
        .with_waits(soon, soon, 3)
        .with_patience(Patience::AtMost(Duration::from_secs(30)));
    world.meddle("/onboarding/", 3, |count, asked, upstream| async move {
        let mut answer = upstream.send(asked).await;
        match count {
            0 | 1 => answer.status = http::StatusCode::FORBIDDEN,
            _ => set_in_payload(&mut answer.body, "clientSecret", json!("gpcs_attacker")),
        }
        Some(answer)
    });
    let aboard = device.onboard().await.unwrap();
    assert_eq!(
        world.site.device("SN-driver").await["deviceId"],
        aboard.device_id.as_str()
    );
    let file = std::fs::read_to_string(device.directory().path().join("state.json")).unwrap();
    assert!(file.contains(aboard.device_id.as_str()) && !file.contains("attacker"));
}
