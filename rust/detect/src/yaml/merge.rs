//! Merging one mapping into another, for `action: global` of Sigma collections and for `<<`.

use super::tree::{Data, Entry, Node};

/// Overlays `with` on `base`: mappings are merged member by member, anything else is replaced.
pub(crate) fn update(base: &mut Node, with: &Node) {
    let (Data::Map(members), Data::Map(overlay)) = (&mut base.data, &with.data) else {
        *base = with.clone();
        return;
    };
    for entry in overlay {
        match members.iter_mut().find(|member| member.key == entry.key) {
            Some(member) => update(&mut member.value, &entry.value),
            None => members.push(entry.clone()),
        }
    }
}

/// Adds the members that `from` (a mapping or a list of them) has and `members` lacks.
///
/// Answers false where `from` is neither.
pub(super) fn inherit(members: &mut Vec<Entry>, from: &Node) -> bool {
    from.as_list().iter().all(|node| {
        for entry in node.entries() {
            if members.iter().all(|member| member.key != entry.key) {
                members.push(entry.clone());
            }
        }
        matches!(node.data, Data::Map(_))
    })
}
