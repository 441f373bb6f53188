//! What an API server asks and is told, in the form `AdmissionReview` of `admission.k8s.io/v1`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::Answer;

/// The one version that is spoken.
const API_VERSION: &str = "admission.k8s.io/v1";

/// A question or an answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    api_version: String,
    kind: String,
    /// What is asked.
    #[serde(default, skip_serializing)]
    pub request: Option<Request>,
    #[serde(default, skip_deserializing)]
    response: Option<Response>,
}

/// What somebody is about to do.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Tells this question from all others.
    pub uid: String,
    /// What it is about.
    #[serde(default)]
    pub resource: Resource,
    /// A part of the object that alone is changed, as `status`.
    #[serde(default)]
    pub sub_resource: Option<String>,
    /// `CREATE` or `UPDATE`.
    pub operation: String,
    /// Where.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The object as it would be.
    #[serde(default)]
    pub object: Value,
    /// The object as it is.
    #[serde(default)]
    pub old_object: Value,
}

/// A kind of objects.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Resource {
    /// Its group.
    pub group: String,
    /// Its name in paths.
    pub resource: String,
}

#[derive(Debug, Serialize)]
struct Response {
    uid: String,
    allowed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Refusal>,
}

#[derive(Debug, Serialize)]
struct Refusal {
    code: u16,
    message: String,
}

impl Review {
    /// Reads a question; an error says why it is none.
    pub fn read(body: &[u8]) -> Result<Request, String> {
        let review: Self = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        if review.api_version != API_VERSION || review.kind != "AdmissionReview" {
            return Err(format!(
                "this is {} of {}, and only AdmissionReview of {API_VERSION} is answered; set admissionReviewVersions: [v1]",
                review.kind, review.api_version
            ));
        }
        review.request.ok_or_else(|| "the AdmissionReview has no request".to_owned())
    }

    /// The answer to a question.
    pub fn of(uid: String, answer: &Answer) -> Self {
        let status = answer.refusal.clone().map(|message| Refusal { code: 403, message });
        let response = Response { uid, allowed: status.is_none(), warnings: answer.warnings.clone(), status };
        Self {
            api_version: API_VERSION.to_owned(),
            kind: "AdmissionReview".to_owned(),
            request: None,
            response: Some(response),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_questions_of_the_one_version_are_read() {
        let request = json!({"uid": "u", "operation": "CREATE", "object": {"kind": "DataProduct"}});
        let review = |version: &str, request: Value| {
            let review = json!({"apiVersion": version, "kind": "AdmissionReview", "request": request});
            Review::read(review.to_string().as_bytes())
        };
        assert_eq!(review(API_VERSION, request.clone()).expect("a question").uid, "u");
        let refused = review("admission.k8s.io/v1beta1", request).expect_err("an error");
        assert!(refused.contains("admissionReviewVersions: [v1]"), "{refused}");
        assert!(review(API_VERSION, Value::Null).is_err());
        assert!(Review::read(b"{").is_err());
    }

    #[test]
    fn an_answer_has_the_uid_of_the_question_and_a_refusal_its_reasons() {
        let answer = Answer { warnings: vec!["w".to_owned()], refusal: Some("no".to_owned()) };
        let told = serde_json::to_value(Review::of("u".to_owned(), &answer)).expect("JSON");
        assert_eq!(
            told,
            json!({
                "apiVersion": API_VERSION,
                "kind": "AdmissionReview",
                "response": {"uid": "u", "allowed": false, "warnings": ["w"], "status": {"code": 403, "message": "no"}},
            })
        );
    }
}
