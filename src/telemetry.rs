//! Logs of the operator, one line a turn of events, as text for people or JSON for machines; and its spans, for a collector.
//! Much of what is logged is what others wrote: whatever it is, it makes no further line and says nothing to a terminal.

#[cfg(feature = "otlp")]
mod otlp;

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    fmt::{self, Write as _},
    io,
    panic::{self, PanicHookInfo},
};

use clap::ValueEnum;
use tracing::{Subscriber, field::Field};
use tracing_subscriber::{
    EnvFilter, Layer,
    field::MakeExt,
    fmt::{
        FormatFields, MakeWriter,
        format::{self, Writer},
        layer,
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is still to be told when the process ends.
#[derive(Debug)]
#[must_use = "what was not sent yet is lost"]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    export: Option<otlp::Export>,
}

impl Telemetry {
    /// Sends what was not sent yet, within a few seconds.
    #[cfg_attr(
        not(feature = "otlp"),
        expect(clippy::unused_async, reason = "without a collector nothing is sent")
    )]
    pub async fn flush(self) {
        #[cfg(feature = "otlp")]
        if let Some(export) = self.export {
            export.flush().await;
        }
    }
}

/// Starts logging to standard error, and sends spans where the environment names a collector. `filter` is a list of directives
/// as in `info,kube=warn`. It has to be called where a runtime is.
pub fn start(format: LogFormat, filter: &str) -> Result<Telemetry, String> {
    let filter =
        EnvFilter::try_new(filter).map_err(|error| format!("--log {filter:?} cannot be read: {error}"))?;
    #[cfg(feature = "otlp")]
    let (export, started) = match otlp::open()? {
        // A filter for each, because a collector gets spans that nobody wants to see in every line.
        Some((export, spans)) => (
            Some(export),
            tracing_subscriber::registry().with(lines(format).with_filter(filter)).with(spans).try_init(),
        ),
        None => (None, tracing_subscriber::registry().with(filter).with(lines(format)).try_init()),
    };
    #[cfg(not(feature = "otlp"))]
    let started = tracing_subscriber::registry().with(filter).with(lines(format)).try_init();
    panic::set_hook(Box::new(log_panic));
    started.map_err(|error| format!("logging is already started: {error}"))?;
    Ok(Telemetry {
        #[cfg(feature = "otlp")]
        export,
    })
}

/// What writes log lines.
fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    match format {
        LogFormat::Text => {
            let colours = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
            text(io::stderr, colours).boxed()
        }
        LogFormat::Json => json(io::stderr).boxed(),
    }
}

/// What a panic says may be what somebody wrote, too.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    // Taken where RUST_BACKTRACE asks for it.
    let trace = Backtrace::capture();
    let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
    let said = panic.payload_as_str();
    tracing::error!(place, said, trace, "the code panicked; please report it with the log");
}

/// Lines for people, in which every field is harmless.
fn text<S, W>(writer: W, colours: bool) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    layer().with_writer(writer).with_ansi(colours).fmt_fields(fields())
}

fn fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    let one = |writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug| match field.name() {
        "message" => write!(Harmless(writer), "{value:?}"),
        // What a record of the crate `log` has of its own is shown in its place.
        name if name.starts_with("log.") => Ok(()),
        name => write!(Harmless(writer), "{name}={value:?}"),
    };
    format::debug_fn(one).delimited(" ")
}

/// Lines for machines. JSON itself escapes what would end a line or a text; terminals know more than that.
fn json<S, W>(writer: W) -> impl Layer<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    layer().json().with_writer(Escaping(writer))
}

/// Writes text with its control characters escaped.
struct Harmless<W>(W);

impl<W: fmt::Write> fmt::Write for Harmless<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|it| {
            if it.is_control() { write!(self.0, "{}", it.escape_default()) } else { self.0.write_char(it) }
        })
    }
}

/// Makes writers of lines of JSON.
struct Escaping<W>(W);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Escaping<W> {
    type Writer = Escaped<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Escaped(self.0.make_writer())
    }
}

/// Writes lines of JSON, each at once, with the control characters within them escaped.
struct Escaped<W>(W);

impl<W: io::Write> io::Write for Escaped<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let escaped = text.chars().fold(String::with_capacity(text.len()), |mut escaped, it| {
            if it.is_control() && it != '\n' {
                // Writing to a text cannot fail.
                let _ = write!(escaped, "\\u{:04x}", u32::from(it));
            } else {
                escaped.push(it);
            }
            escaped
        });
        self.0.write_all(escaped.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, PoisonError};

    use super::*;

    /// Ends a line, forges one of either form, and speaks to a terminal in every way that there is.
    const HOSTILE: &str = "a\n2999-01-01T00:00:00Z  INFO forged: b\r\n{\"level\":\"INFO\"}\u{1b}[2J\u{9b}31m\u{7}\u{8}\u{7f}\u{85}\0\"";

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'w> MakeWriter<'w> for Lines {
        type Writer = Self;

        fn make_writer(&'w self) -> Self {
            self.clone()
        }
    }

    /// Logs hostile text in every way that the operator logs, and gives the lines.
    fn logged<L>(layer: impl Fn(Lines) -> L) -> Vec<String>
    where
        L: Layer<tracing_subscriber::Registry> + Send + Sync,
    {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::registry().with(layer(lines.clone()));
        tracing::subscriber::with_default(subscriber, || {
            let error: Box<dyn std::error::Error + 'static> = HOSTILE.into();
            let span = tracing::info_span!("visit", product = %HOSTILE, text = HOSTILE);
            let _entered = span.enter();
            tracing::info!("{HOSTILE}");
            tracing::info!(shown = %HOSTILE, "shown");
            tracing::info!(debugged = ?HOSTILE, "debugged");
            tracing::info!(text = HOSTILE, "text");
            tracing::info!(error = &*error, "error");
        });
        let bytes = lines.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let text = String::from_utf8(bytes).expect("text");
        assert!(text.ends_with('\n'), "{text:?}");
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn hostile_text_makes_no_further_line_and_no_control_character_in_text() {
        let lines = logged(|lines| text(lines, false));
        assert_eq!(lines.len(), 5, "{lines:#?}");
        for line in &lines {
            assert!(!line.contains(char::is_control), "{line:?}");
            assert!(line.contains(" INFO visit{product=a\\n2999"), "{line}");
        }
        // What is harmless stays as it is.
        assert!(lines[1].contains("shown shown=a\\n2999-01-01T00:00:00Z  INFO forged: b"), "{}", lines[1]);
    }

    #[test]
    fn hostile_text_makes_no_further_line_and_no_control_character_in_json() {
        let lines = logged(json);
        assert_eq!(lines.len(), 5, "{lines:#?}");
        for line in &lines {
            assert!(!line.contains(char::is_control), "{line:?}");
            let value: serde_json::Value = serde_json::from_str(line).expect("an object");
            assert_eq!(value["level"], "INFO");
            assert_eq!(value["span"]["product"], HOSTILE, "nothing is lost");
        }
    }
}
