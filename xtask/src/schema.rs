//! Lint of `proto/symphony`: what canonical bytes forbid, and that everything is documented.
//!
//! The areas `admin` and `engine` are gRPC interfaces: nothing of theirs is signed or hashed, so they may hold floating-point
//! numbers. All other rules hold everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto,
};

use crate::finding::Finding;
use crate::source;

/// Areas whose messages are never canonical bytes.
const INTERFACE_AREAS: [&str; 2] = ["admin", "engine"];

// Field numbers of descriptor.proto, which the paths of source locations are made of.
const FILE_MESSAGE: i32 = 4;
const FILE_ENUM: i32 = 5;
const FILE_SERVICE: i32 = 6;
const MESSAGE_FIELD: i32 = 2;
const MESSAGE_NESTED: i32 = 3;
const MESSAGE_ENUM: i32 = 4;
const ENUM_VALUE: i32 = 2;
const SERVICE_METHOD: i32 = 2;

/// Compiles all files of the schema and lints each.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let folder = root.join("proto");
    let files = source::files_under(&folder.join("symphony"), &[".proto"])?;
    if files.is_empty() {
        return Ok(vec![Finding::new("proto/symphony", "holds no .proto file")]);
    }
    let mut compiler = protox::Compiler::new([&folder]).context("proto")?;
    compiler.include_source_info(true).include_imports(false);
    compiler
        .open_files(&files)
        .context("the schema does not compile")?;
    let mut findings = Vec::new();
    for file in compiler.file_descriptor_set().file {
        findings.extend(lint(&file));
    }
    findings.sort();
    Ok(findings)
}

/// All findings of one file.
fn lint(file: &FileDescriptorProto) -> Vec<Finding> {
    let mut lint = Lint {
        file: format!("proto/{}", file.name()),
        package: file.package().to_owned(),
        comments: comments(file),
        interface: area(file.name()).is_some_and(|area| INTERFACE_AREAS.contains(&area)),
        findings: Vec::new(),
    };
    lint.file_rules(file);
    for (index, message) in file.message_type.iter().enumerate() {
        lint.message(message, message.name(), &[FILE_MESSAGE, tag(index)]);
    }
    for (index, item) in file.enum_type.iter().enumerate() {
        lint.enumeration(item, item.name(), &[FILE_ENUM, tag(index)]);
    }
    for (index, service) in file.service.iter().enumerate() {
        let path = [FILE_SERVICE, tag(index)];
        lint.documented(service.name(), &path);
        for (index, method) in service.method.iter().enumerate() {
            lint.documented(
                &format!("{}.{}", service.name(), method.name()),
                &join(&path, &[SERVICE_METHOD, tag(index)]),
            );
        }
    }
    lint.findings
}

struct Lint {
    file: String,
    package: String,
    /// Places that have a comment, by their path in the descriptor.
    comments: BTreeSet<Vec<i32>>,
    interface: bool,
    findings: Vec<Finding>,
}

impl Lint {
    fn find(&mut self, item: &str, message: impl Into<String>) {
        let place = if item.is_empty() {
            self.file.clone()
        } else {
            format!("{}: {item}", self.file)
        };
        self.findings.push(Finding::new(place, message));
    }

    fn documented(&mut self, item: &str, path: &[i32]) {
        if !self.comments.contains(path) {
            self.find(item, "has no comment (what it is, its unit, its range)");
        }
    }

    fn file_rules(&mut self, file: &FileDescriptorProto) {
        if file.syntax() != "proto3" {
            self.find("", "is not proto3");
        }
        let folder = file
            .name()
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .replace('/', ".");
        let parts: Vec<&str> = self.package.split('.').collect();
        if !matches!(parts.as_slice(), ["symphony", _, "v1"]) {
            self.find(
                "",
                format!("package {} is not symphony.<area>.v1", self.package),
            );
        }
        if folder != self.package {
            self.find(
                "",
                format!(
                    "package {} does not match the folder {folder}",
                    self.package
                ),
            );
        }
        if !file.extension.is_empty() {
            self.find("", "has extensions");
        }
    }

    fn message(&mut self, message: &DescriptorProto, name: &str, path: &[i32]) {
        self.documented(name, path);
        if !message.extension_range.is_empty() || !message.extension.is_empty() {
            self.find(name, "has extensions");
        }
        for (index, field) in message.field.iter().enumerate() {
            self.field(
                field,
                &format!("{name}.{}", field.name()),
                &join(path, &[MESSAGE_FIELD, tag(index)]),
            );
        }
        self.oneofs(message, name);
        for (index, nested) in message.nested_type.iter().enumerate() {
            if nested
                .options
                .as_ref()
                .is_some_and(|options| options.map_entry())
            {
                self.find(
                    name,
                    format!(
                        "has a map ({}): its order on the wire is not fixed",
                        nested.name()
                    ),
                );
            } else {
                let nested_name = format!("{name}.{}", nested.name());
                self.message(
                    nested,
                    &nested_name,
                    &join(path, &[MESSAGE_NESTED, tag(index)]),
                );
            }
        }
        for (index, item) in message.enum_type.iter().enumerate() {
            self.enumeration(
                item,
                &format!("{name}.{}", item.name()),
                &join(path, &[MESSAGE_ENUM, tag(index)]),
            );
        }
    }

    fn field(&mut self, field: &FieldDescriptorProto, name: &str, path: &[i32]) {
        self.documented(name, path);
        match field.r#type() {
            Type::Group => self.find(name, "is a group"),
            Type::Float | Type::Double if !self.interface => {
                self.find(
                    name,
                    "is a float or double: an f64 is a bytes field of exactly 8 big-endian bytes",
                );
            }
            _ => {}
        }
        if field.label() == Label::Required {
            self.find(name, "is required, which proto3 does not know");
        }
    }

    /// Tags of a oneof are contiguous, so that a reader sees at once which tags exclude each other.
    fn oneofs(&mut self, message: &DescriptorProto, name: &str) {
        let mut numbers: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for field in message
            .field
            .iter()
            .filter(|field| !field.proto3_optional())
        {
            if let Some(index) = field.oneof_index {
                numbers.entry(index).or_default().push(field.number());
            }
        }
        for (index, mut tags) in numbers {
            tags.sort_unstable();
            if tags.windows(2).any(|pair| pair[1] != pair[0] + 1) {
                let oneof = usize::try_from(index)
                    .ok()
                    .and_then(|index| message.oneof_decl.get(index));
                let oneof = oneof.map_or("?", |oneof| oneof.name());
                self.find(
                    &format!("{name}.{oneof}"),
                    format!("is a oneof whose tags are not contiguous: {tags:?}"),
                );
            }
        }
    }

    fn enumeration(&mut self, item: &EnumDescriptorProto, name: &str, path: &[i32]) {
        self.documented(name, path);
        for (index, value) in item.value.iter().enumerate() {
            self.documented(
                &format!("{name}.{}", value.name()),
                &join(path, &[ENUM_VALUE, tag(index)]),
            );
        }
        let starts_unspecified = item
            .value
            .first()
            .is_some_and(|first| first.number() == 0 && first.name().ends_with("_UNSPECIFIED"));
        if !starts_unspecified {
            self.find(name, "does not start at a value …_UNSPECIFIED = 0");
        }
        if item
            .options
            .as_ref()
            .is_some_and(|options| options.allow_alias())
        {
            self.find(name, "allows aliases: two names for one number");
        }
    }
}

/// `admin` of `symphony/admin/v1/admin.proto`.
fn area(name: &str) -> Option<&str> {
    name.split('/').nth(1)
}

fn comments(file: &FileDescriptorProto) -> BTreeSet<Vec<i32>> {
    let locations = file.source_code_info.iter().flat_map(|info| &info.location);
    locations
        .filter(|location| {
            !location.leading_comments().trim().is_empty()
                || !location.trailing_comments().trim().is_empty()
        })
        .map(|location| location.path.clone())
        .collect()
}

fn join(path: &[i32], more: &[i32]) -> Vec<i32> {
    path.iter().chain(more).copied().collect()
}

fn tag(index: usize) -> i32 {
    i32::try_from(index).expect("a schema file has fewer than 2^31 items")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn findings(area: &str, body: &str) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("proto/symphony").join(area).join("v1");
        fs::create_dir_all(&folder).unwrap();
        let text = if body.contains("syntax") {
            body.to_owned()
        } else {
            format!("syntax = \"proto3\";\npackage symphony.{area}.v1;\n{body}")
        };
        fs::write(folder.join("a.proto"), text).unwrap();
        check(root.path())
            .unwrap()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[track_caller]
    fn one_finding(area: &str, body: &str, part: &str) {
        let findings = findings(area, body);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains(part), "{findings:?}");
    }

    const CLEAN: &str = "// A.\nmessage A {\n  // B, in milliseconds.\n  uint64 b_ms = 1;\n  // C.\n  optional uint32 c = 2;\n  // D.\n  oneof d {\n    // E.\n    bytes e = 3;\n    // F.\n    bytes f = 4;\n  }\n}\n// G.\nenum G {\n  // None.\n  G_UNSPECIFIED = 0;\n}\n// S.\nservice S {\n  // M.\n  rpc M(A) returns (A);\n}";

    #[test]
    fn a_clean_file_is_silent() {
        assert_eq!(findings("log", CLEAN), Vec::<String>::new());
    }

    #[test]
    fn floats_are_refused_in_canonical_areas_only() {
        let body = "// A.\nmessage A {\n  // B.\n  double b = 1;\n}";
        one_finding("state", body, "A.b: is a float or double");
        assert!(findings("admin", body).is_empty());
    }

    #[test]
    fn maps_are_refused() {
        one_finding(
            "log",
            "// A.\nmessage A {\n  // B.\n  map<string, string> b = 1;\n}",
            "has a map",
        );
    }

    #[test]
    fn groups_and_extensions_are_refused() {
        let body = "syntax = \"proto2\";\npackage symphony.log.v1;\n// A.\nmessage A {\n  extensions 100 to 200;\n  // G.\n  optional group G = 1 {}\n}";
        let findings = findings("log", body);
        for part in ["is not proto3", "has extensions", "is a group"] {
            assert!(
                findings.iter().any(|finding| finding.contains(part)),
                "{part}: {findings:?}"
            );
        }
    }

    #[test]
    fn a_oneof_with_a_gap_is_found() {
        let body = "// A.\nmessage A {\n  // O.\n  oneof o {\n    // B.\n    bytes b = 1;\n    // C.\n    bytes c = 3;\n  }\n}";
        one_finding(
            "log",
            body,
            "A.o: is a oneof whose tags are not contiguous: [1, 3]",
        );
    }

    #[test]
    fn an_enum_starts_unspecified() {
        one_finding(
            "log",
            "// G.\nenum G {\n  // A.\n  G_A = 0;\n}",
            "_UNSPECIFIED = 0",
        );
    }

    #[test]
    fn everything_is_documented() {
        let findings = findings(
            "admin",
            "message A {\n  uint32 b = 1;\n}\nenum G {\n  G_UNSPECIFIED = 0;\n}\nservice S {\n  rpc M(A) returns (A);\n}",
        );
        assert_eq!(findings.len(), 6, "{findings:?}");
    }

    #[test]
    fn the_package_matches_the_folder() {
        let findings = findings("log", "syntax = \"proto3\";\npackage symphony.other.v1;");
        assert_eq!(findings.len(), 1, "{findings:?}");
    }
}
