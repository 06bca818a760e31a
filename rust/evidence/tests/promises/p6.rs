//! P6: a full disk stops intake cleanly, keeps what was acknowledged, and heals by itself.

use std::path::Path;
use std::sync::Arc;

use bigsec_evidence::LogError;
use bigsec_evidence::reserve::Reserve;
use bigsec_evidence::storage::Storage;

use crate::machine::{DIR, Machine};

const CAPACITY: u64 = 16 << 20;
/// So much may be written in a round before the disk is full.
const ROOM: u64 = 200_000;
const ROUNDS: u64 = 20;

fn free(machine: &Machine) -> u64 {
    machine.storage.space(Path::new(DIR)).unwrap().free
}

#[test]
fn p6_a_disk_filled_twenty_times_takes_no_more_and_goes_on_by_itself() {
    let mut machine = Machine::new(crate::seed());
    machine.storage.set_capacity(Some(CAPACITY));
    let (mut writer, _) = machine.open().unwrap();
    let mut reserve = Reserve::of(Arc::new(machine.storage.clone()), &writer).unwrap();
    for round in 0..ROUNDS {
        // A stranger leaves little room, or in every other round takes it all at once.
        let own = CAPACITY - free(&machine);
        let room = if round % 2 == 0 { ROOM } else { 0 };
        machine.storage.set_foreign(CAPACITY - own - room);
        let mut groups = 0;
        let full = loop {
            match machine.append_and_commit(&mut writer, 10) {
                Ok(()) => groups += 1,
                Err(error) => break error,
            }
        };
        // Without room one may still fit in the last block of the segment.
        assert!(groups <= 1 || round % 2 == 0, "round {round}: {groups} groups without room");
        assert!(matches!(full, LogError::Full { .. }), "round {round}: {full}");
        for _ in 0..5 {
            assert!(machine.commit(&mut writer).is_err(), "no acknowledgement while it is full");
        }
        // The audit records and checkpoints go in at the reserve's expense.
        assert!(reserve.is_held());
        reserve.commit(&mut writer).expect("the reserve makes room for what is pending");
        machine.senders.acked.append(&mut machine.senders.waiting);
        reserve.checkpoint(&mut writer).expect("a checkpoint is signed on a full disk");
        assert!(!reserve.is_held());
        assert!(!reserve.has_room(1).unwrap(), "nothing else is to come in");
        if round % 5 == 4 {
            // A power cut on the full disk.
            drop(writer);
            machine = machine.with(machine.storage.crash(round));
            writer = machine.reopen();
            reserve = Reserve::of(Arc::new(machine.storage.clone()), &writer).unwrap();
        }
        machine.check(&writer);
        machine.storage.set_foreign(0);
        assert!(reserve.has_room(1).unwrap() && reserve.is_held(), "it heals without a restart");
        machine.append_and_commit(&mut writer, 1).expect("intake is back");
    }
    machine.go_on(writer);
}

#[test]
fn p6_a_log_opens_and_keeps_its_records_whatever_room_there_is() {
    let mut machine = Machine::new(crate::seed());
    let (mut writer, _) = machine.open().unwrap();
    for _ in 0..6 {
        machine.append_and_commit(&mut writer, 8).unwrap();
        writer.checkpoint().unwrap();
    }
    machine.append(&mut writer);
    drop(writer);
    for blocks in 0..12 {
        let mut full = machine.with(machine.storage.crash(blocks));
        let own = {
            full.storage.set_capacity(Some(CAPACITY));
            CAPACITY - free(&full)
        };
        full.storage.set_capacity(Some(own + blocks * 4_096));
        let writer = full.reopen();
        drop(writer);
        full.storage.set_capacity(None);
        let writer = full.reopen();
        full.go_on(writer);
    }
}
