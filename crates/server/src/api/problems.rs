//! `GET /problems/{name}`: what the `type` of a problem means (RFC 9457 §4).

use gangplank_onboarding::ProblemName;
use serde::Deserialize;

use super::Refusal;
use super::path::Parameters;

pub(super) async fn get(
    Parameters(OfProblem { name }): Parameters<OfProblem>,
) -> Result<String, Refusal> {
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

#[derive(Debug, Deserialize)]
pub(super) struct OfProblem {
    name: String,
}
