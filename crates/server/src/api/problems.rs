//! `GET /problems/{name}`: what the `type` of a problem means (RFC 9457 §4).

use axum::extract::Path;
use gangplank_onboarding::ProblemName;

use super::Refusal;

pub(super) async fn get(Path(name): Path<String>) -> Result<String, Refusal> {
    let problem = ProblemName::ALL
        .iter()
        .find(|problem| problem.as_str() == name)
        .ok_or_else(|| Refusal::not_found("no problem has this name"))?;
    Ok(format!(
        "{}\nstatus {}\n\n{}\n",
        problem.title(),
        problem.status(),
        problem.explanation()
    ))
}
