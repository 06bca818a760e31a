//! P10: time may jump.

use std::time::Duration;

use crate::machine::{Machine, NOW_US};

const HOUR_US: i64 = 3_600_000_000;

/// Eight hours back, a year on, a second back a hundred times, and a leap second, which the
/// system's clock shows as one second twice.
fn jumps() -> Vec<i64> {
    let mut jumps = vec![-8 * HOUR_US, 365 * 24 * HOUR_US];
    jumps.extend([-1_000_000; 100]);
    jumps.extend([-1_000_000, i64::MIN / 4, i64::MAX / 2]);
    jumps
}

#[test]
fn p10_order_and_chain_hold_while_the_clock_jumps() {
    let mut machine = Machine::new(crate::seed());
    let (mut writer, _) = machine.open().unwrap();
    let mut segments = 0;
    for (round, jump) in jumps().into_iter().enumerate() {
        machine.append_and_commit(&mut writer, 3).unwrap();
        machine.clock.jump(jump);
        machine.append_and_commit(&mut writer, 3).unwrap();
        writer.checkpoint().unwrap();
        if round % 10 == 0 {
            drop(writer);
            writer = machine.reopen();
        }
        segments = writer.segments().len();
    }
    machine.check(&writer);
    println!("{segments} segments");
}

#[test]
fn p10_a_segment_ends_by_its_age_and_not_by_a_jump() {
    let mut machine = Machine::new(crate::seed());
    let (mut writer, _) = machine.open().unwrap();
    machine.append_and_commit(&mut writer, 1).unwrap();
    machine.clock.jump(100 * HOUR_US);
    machine.append_and_commit(&mut writer, 1).unwrap();
    machine.clock.set(NOW_US - 100 * HOUR_US);
    machine.append_and_commit(&mut writer, 1).unwrap();
    assert_eq!(writer.segments().len(), 1);
    machine.clock.pass(Duration::from_secs(3_601));
    machine.append_and_commit(&mut writer, 1).unwrap();
    assert_eq!(writer.segments().len(), 2);
}

#[test]
fn p10_a_jump_deletes_nothing_early_and_time_that_passes_does() {
    let mut machine = Machine::new(crate::seed());
    let (mut writer, _) = machine.open().unwrap();
    for _ in 0..3 {
        machine.append_and_commit(&mut writer, 4).unwrap();
        writer.roll().unwrap();
        writer.checkpoint().unwrap();
    }
    // `check` allows no record to be gone, since none has expired.
    for (round, jump) in jumps().into_iter().enumerate() {
        machine.clock.jump(jump);
        machine.keep_house(&mut writer).unwrap();
        machine.clock.pass(Duration::from_hours(1));
        if round % 20 == 0 {
            writer.checkpoint().unwrap();
            drop(writer);
            writer = machine.reopen();
        }
        machine.check(&writer);
    }
    machine.clock.set(NOW_US);
    machine.append_and_commit(&mut writer, 1).unwrap();
    machine.check(&writer);
    machine.expire();
    machine.clock.pass(Duration::from_hours(24));
    machine.clock.set(NOW_US + 300 * 24 * HOUR_US);
    machine.keep_house(&mut writer).unwrap();
    assert!(writer.first() >= 12, "what has expired goes: {}", writer.first());
    machine.check(&writer);
    machine.go_on(writer);
}
