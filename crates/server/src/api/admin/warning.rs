//! What is doubtful about a tenant that was saved.

use gangplank_trust::{Template, TemplateUse, TenantDocument};
use serde::Serialize;

/// One doubt.
#[derive(Serialize)]
pub(super) struct Warning {
    code: &'static str,
    pointer: String,
}

/// All of them, in the order of the document.
pub(super) fn warnings(document: &TenantDocument) -> Vec<Warning> {
    let mut found = Vec::new();
    for (at, anchor) in document.anchors().enumerate() {
        let policy = anchor.policy();
        let auth_id = (
            "auth-id-template",
            TemplateUse::AuthId,
            &policy.auth_id_template,
        );
        let device_id = (
            "auto-provisioning-device-id-template",
            TemplateUse::DeviceId,
            &policy.device_id_template,
        );
        for (member, purpose, template) in [auth_id, device_id] {
            let lints = template
                .iter()
                .flat_map(|found: &Template| found.lints(purpose));
            found.extend(lints.map(|lint| Warning {
                code: lint.name(),
                pointer: format!("/trusted-ca/{at}/{member}"),
            }));
        }
    }
    found
}
