//! Who may call what.

/// What a caller may do. A larger role may do all that a smaller one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads logs, policy and peers, and runs audits. Never sees the text of a question or an answer.
    Auditor,
    /// Asks, and shuts down.
    Operator,
}

/// A method as it appears in metrics, and the smallest role that may call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permission {
    /// Service and method without the package; a fixed set, so that a caller cannot grow the metrics.
    pub(crate) label: &'static str,
    /// Smallest role.
    pub(crate) role: Role,
}

const PACKAGE: &str = "/symphony.admin.v1.";

const METHODS: [Permission; 22] = [
    operator("Tasks/Submit"),
    operator("Tasks/Follow"),
    operator("Tasks/Cancel"),
    auditor("Peers/List"),
    auditor("Peers/Capabilities"),
    auditor("Peers/Evidence"),
    auditor("Log/Status"),
    auditor("Log/Get"),
    auditor("Log/Tail"),
    auditor("Log/Checkpoint"),
    auditor("Log/ProveInclusion"),
    auditor("Log/ProveConsistency"),
    auditor("Log/Export"),
    auditor("Policy/State"),
    auditor("Policy/Measures"),
    auditor("Policy/Explain"),
    operator("Policy/Import"),
    auditor("Audit/Run"),
    auditor("Node/Info"),
    operator("Node/Shutdown"),
    auditor("health"),
    auditor("reflection"),
];

const fn operator(label: &'static str) -> Permission {
    Permission {
        label,
        role: Role::Operator,
    }
}

const fn auditor(label: &'static str) -> Permission {
    Permission {
        label,
        role: Role::Auditor,
    }
}

/// What a call by this path needs. A path that the table does not list needs the larger role: a method forgotten here is
/// closed, not open.
pub(crate) fn permission(path: &str) -> Permission {
    let label = match path.strip_prefix(PACKAGE) {
        Some(method) => method,
        None if path.starts_with("/grpc.health.v1.Health/") => "health",
        None if path.starts_with("/grpc.reflection.") => "reflection",
        None => "unknown",
    };
    let found = METHODS.iter().find(|method| method.label == label);
    found.copied().unwrap_or(operator("unknown"))
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::{Role, permission};
    use crate::v1::FILE_DESCRIPTOR_SET;

    #[test]
    fn every_method_of_the_schema_is_in_the_table() {
        let set = prost_types::FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
        let mut count = 0;
        for file in set.file {
            for service in &file.service {
                for method in &service.method {
                    let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                    assert_ne!(permission(&path).label, "unknown", "{path}");
                    count += 1;
                }
            }
        }
        assert_eq!(count, 20);
    }

    #[test]
    fn what_is_not_in_the_table_is_closed_to_auditors() {
        for path in [
            "/symphony.admin.v1.Node/Later",
            "/other.Service/Method",
            "",
            "/symphony.admin.v1.health",
        ] {
            let permission = permission(path);
            assert!(
                permission.role == Role::Operator || permission.label == "health",
                "{path}"
            );
        }
        assert_eq!(
            permission("/symphony.admin.v1.Tasks/Submit").role,
            Role::Operator
        );
        assert_eq!(
            permission("/symphony.admin.v1.Tasks/Follow").role,
            Role::Operator
        );
        assert_eq!(
            permission("/symphony.admin.v1.Node/Shutdown").role,
            Role::Operator
        );
    }
}
