//! Counters of the admin server. Labels are from small fixed sets, never ids.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters of one admin server. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    calls: Family<CallLabels, Counter>,
    connections_open: Gauge,
    streams_open: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    method: &'static str,
    admission: &'static str,
}

/// Whether a call may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It may.
    Admitted,
    /// No token, or a wrong one.
    Unauthenticated,
    /// The role may not call this.
    Forbidden,
}

impl Metrics {
    /// Adds every counter to a registry under the prefix `admin`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("admin");
        registry.register("calls", "Calls by method and admission", self.calls.clone());
        registry.register(
            "connections_open",
            "Open connections of socket and TCP",
            self.connections_open.clone(),
        );
        registry.register(
            "streams_open",
            "Streams of answers that are open",
            self.streams_open.clone(),
        );
    }

    pub(crate) fn count_call(&self, method: &'static str, admission: Admission) {
        let admission = match admission {
            Admission::Admitted => "admitted",
            Admission::Unauthenticated => "unauthenticated",
            Admission::Forbidden => "forbidden",
        };
        self.calls
            .get_or_create(&CallLabels { method, admission })
            .inc();
    }

    pub(crate) fn connection_opened(&self) -> Held {
        Held::new(self.connections_open.clone())
    }

    pub(crate) fn stream_opened(&self) -> Held {
        Held::new(self.streams_open.clone())
    }
}

/// Counts one in a gauge for as long as it lives.
#[derive(Debug)]
pub(crate) struct Held(Gauge);

impl Held {
    fn new(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.dec();
    }
}
