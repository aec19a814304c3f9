//! Mappings that become part of another one.

use core::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::document::{Node, NodeSeed};

/// The key whose mappings become part of the mapping around it (YAML 1.1).
pub(super) const MERGE: &str = "<<";

/// Collects what `<<` brings: one mapping, or several in a list.
pub(super) struct MergeSeed<'a> {
    pub(super) table: NodeSeed,
    pub(super) merged: &'a mut Vec<(String, Node)>,
}

impl<'de> DeserializeSeed<'de> for MergeSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MergeSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping to merge, or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let node = self.table.visit_map(map)?;
        add(self.merged, node)
    }

    fn visit_str<E: serde::de::Error>(self, _text: &str) -> Result<(), E> {
        Err(E::invalid_type(
            serde::de::Unexpected::Other("a text"),
            &self,
        ))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(node) = items.next_element_seed(self.table)? {
            add(self.merged, node)?;
        }
        Ok(())
    }
}

fn add<E: serde::de::Error>(merged: &mut Vec<(String, Node)>, node: Node) -> Result<(), E> {
    let Node::Table(table) = node else {
        return Err(E::custom("only mappings can be merged"));
    };
    for (number, (key, _)) in table.iter().enumerate() {
        if table[..number].iter().any(|(other, _)| other == key) {
            return Err(E::custom(format_args!(
                "`{key}` is written twice in what is merged"
            )));
        }
    }
    merged.extend(table);
    Ok(())
}
