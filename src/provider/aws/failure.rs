//! From the errors of the SDK to the one error of the seam: codes are looked up in one table, and whether the call may have
//! had an effect is kept, because a create without a token must not be repeated while that is open.

use std::{error::Error, fmt};

use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::{
    model::resource::Key,
    provider::{ErrorKind, Operation, ProviderError},
};

/// A call that failed, before it is known which resource and operation of the seam it was about.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: ErrorKind,
    /// The code of the service, where it gave one.
    pub(super) code: String,
    message: String,
    /// Whether the service said no before it did anything.
    pub(super) changed_nothing: bool,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure of our own.
    pub(super) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, code: String::new(), message: message.into(), changed_nothing: false, source: None }
    }

    /// A refusal of our own: nothing was sent, or nothing was done.
    pub(super) fn refusal(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { changed_nothing: true, ..Self::new(kind, message) }
    }

    /// A failure that the service gives for a part of a request that it answered.
    pub(super) fn within(call: &str, code: &str, message: &str) -> Self {
        Self { code: code.to_owned(), ..Self::new(kind_of(code, 400), format!("{call} ({code}): {message}")) }
    }

    /// What exists under our name and is not ours.
    pub(super) fn foreign() -> Self {
        Self::refusal(ErrorKind::Conflict, "it exists and is not this product's")
    }

    /// What should exist and does not.
    pub(super) fn absent() -> Self {
        Self::refusal(ErrorKind::NotFound, "it does not exist")
    }

    /// An answer that lacks what every answer has.
    pub(super) fn garbled() -> Self {
        Self::new(ErrorKind::Unexpected, "the answer of the service lacks what it must have")
    }

    /// The same failure once more, without its cause, for others whom it concerns too.
    pub(super) fn copy(&self) -> Self {
        let (code, message) = (self.code.clone(), self.message.clone());
        Self { kind: self.kind, code, message, changed_nothing: self.changed_nothing, source: None }
    }

    /// Whether the service gave one of these codes.
    pub(super) fn is(&self, codes: &[&str]) -> bool {
        codes.contains(&self.code.as_str())
    }

    /// Whether the service proved that what was asked for does not exist.
    pub(super) fn is_absent(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }

    /// From here on something may exist, whatever a later call says.
    #[must_use]
    pub(super) fn after_effect(mut self) -> Self {
        self.changed_nothing = false;
        self
    }

    /// Nothing was done so far, whatever became of a read.
    #[must_use]
    pub(super) fn before_effect(mut self) -> Self {
        self.changed_nothing = true;
        self
    }

    /// The error of the seam.
    pub(super) fn of(self, operation: Operation, key: &Key) -> ProviderError {
        self.anywhere(operation).at(key)
    }

    /// The error of the seam, of a call that is about no single resource.
    pub(super) fn anywhere(self, operation: Operation) -> ProviderError {
        let mut error = ProviderError::new(self.kind, operation, self.message);
        if self.changed_nothing {
            error = error.without_effect();
        }
        match self.source {
            Some(source) => error.caused_by(source),
            None => error,
        }
    }

    /// The failure of a call.
    pub(super) fn from_sdk<E>(call: &str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let (kind, code, detail, changed_nothing) = match &error {
            SdkError::ServiceError(context) => {
                let status = context.raw().status().as_u16();
                let code = context.err().code().unwrap_or_default().to_owned();
                let said =
                    context.err().message().map_or_else(|| format!("HTTP status {status}"), str::to_owned);
                // A server that broke may have broken after the effect.
                (kind_of(&code, status), code, said, status < 500)
            }
            SdkError::ConstructionFailure(_) => {
                (ErrorKind::Invalid, String::new(), "the request could not be made".to_owned(), true)
            }
            SdkError::TimeoutError(_) => {
                (ErrorKind::Timeout, String::new(), "no answer in time".to_owned(), false)
            }
            SdkError::DispatchFailure(failure) if failure.is_timeout() => {
                (ErrorKind::Timeout, String::new(), "no answer in time".to_owned(), false)
            }
            SdkError::DispatchFailure(_) => {
                // Credentials that cannot be had end here too, and only the chain of causes says so.
                (
                    ErrorKind::Unavailable,
                    String::new(),
                    format!("nothing was sent, or no answer came: {}", causes(&error)),
                    false,
                )
            }
            SdkError::ResponseError(_) => {
                (ErrorKind::Unexpected, String::new(), "the answer cannot be read".to_owned(), false)
            }
            _ => {
                (ErrorKind::Unexpected, String::new(), "the call failed in an unknown way".to_owned(), false)
            }
        };
        let named = if code.is_empty() { call.to_owned() } else { format!("{call} ({code})") };
        let message = format!("{named}: {detail}");
        Self { kind, code, message, changed_nothing, source: Some(error.into()) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// A removal of something that is gone already is done.
pub(super) fn absent_is_fine(answer: Result<(), Failure>) -> Result<(), Failure> {
    match answer {
        Err(failure) if failure.is_absent() => Ok(()),
        answer => answer,
    }
}

/// The causes of an error, the first one left out, as one text.
fn causes(error: &dyn Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        // Some errors repeat what is below them.
        if !causes.last().is_some_and(|last| last.contains(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes.join(": ")
}

/// The kind of an error code. What is not in the table is judged by its HTTP status.
fn kind_of(code: &str, status: u16) -> ErrorKind {
    match code {
        "NotFoundException"
        | "EntityNotFoundException"
        | "NoSuchBucket"
        | "NotFound"
        | "NoSuchTagSet"
        | "NoSuchTagSetError"
        | "NoSuchBucketPolicy"
        | "NoSuchPublicAccessBlockConfiguration"
        | "ServerSideEncryptionConfigurationNotFoundError"
        | "ResourceNotFound"
        | "ResourceNotFoundException" => ErrorKind::NotFound,
        "AlreadyExistsException"
        | "BucketAlreadyExists"
        | "BucketAlreadyOwnedByYou"
        | "BucketNotEmpty"
        | "KMSInvalidStateException"
        | "DisabledException"
        // A bucket of that name is in another region.
        | "PermanentRedirect"
        | "AuthorizationHeaderMalformed" => ErrorKind::Conflict,
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "UnauthorizedOperation"
        | "AllAccessDisabled"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "AuthFailure"
        | "OptInRequired" => ErrorKind::Denied,
        "LimitExceededException"
        | "LimitExceeded"
        | "LimitExceededFault"
        | "TooManyBuckets"
        | "ResourceNumberLimitExceededException"
        | "TopicLimitExceeded" => ErrorKind::Quota,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "Throttled"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete"
        | "EC2ThrottledException" => ErrorKind::Throttled,
        // Somebody else is at the same resource, or the change before is not over: later is better.
        "OperationAborted"
        | "ConcurrentModificationException"
        | "ConcurrentModification"
        | "OperationTimeoutException"
        | "InternalServiceException"
        | "InternalError"
        | "InternalFailure"
        | "InternalServiceFault"
        | "KMSInternalException"
        | "DependencyTimeoutException"
        | "ServiceUnavailable"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired" => ErrorKind::Unavailable,
        _ => match status {
            401 | 403 => ErrorKind::Denied,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            429 => ErrorKind::Throttled,
            400..=499 => ErrorKind::Invalid,
            500..=599 => ErrorKind::Unavailable,
            _ => ErrorKind::Unexpected,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_counts_before_its_status_and_what_is_unknown_is_judged_by_the_status() {
        let cases = [
            ("ThrottlingException", 400, ErrorKind::Throttled),
            ("SlowDown", 503, ErrorKind::Throttled),
            ("NotFoundException", 400, ErrorKind::NotFound),
            ("AccessDeniedException", 400, ErrorKind::Denied),
            ("ConcurrentModificationException", 400, ErrorKind::Unavailable),
            ("Unheard", 400, ErrorKind::Invalid),
            ("Unheard", 403, ErrorKind::Denied),
            ("Unheard", 500, ErrorKind::Unavailable),
            ("", 404, ErrorKind::NotFound),
            ("", 302, ErrorKind::Unexpected),
        ];
        for (code, status, expected) in cases {
            assert_eq!(kind_of(code, status), expected, "{code} {status}");
        }
    }
}
