//! P3: a crash after any step is safe.

use bigsec_evidence::simulator::Random;
use bigsec_evidence::{LogError, LogOptions, LogWriter};

use crate::machine::{Doing, Machine, lagging_options, options};

/// One step of a log's life.
#[derive(Debug, Clone, Copy)]
enum Step {
    Append(usize),
    Commit,
    Roll,
    Checkpoint,
    /// The watermark is brought up to what is flushed.
    Mark,
    /// Segments that have ended are sealed, and those that have expired deleted.
    KeepHouse,
    /// Half a year passes.
    Expire,
    /// The process ends, cleanly or not: what was appended and not committed is gone.
    Restart,
}

/// Each kind of operation is in it, and each after each other that can matter.
const LIFE: &[Step] = &[
    Step::Append(3),
    Step::Commit,
    Step::Append(20),
    Step::Append(1),
    Step::Commit,
    Step::Checkpoint,
    Step::Append(60),
    Step::Commit,
    Step::Mark,
    Step::Append(5),
    Step::Commit,
    Step::Roll,
    Step::Roll,
    Step::KeepHouse,
    Step::Append(4),
    Step::Restart,
    Step::Append(4),
    Step::Commit,
    Step::Checkpoint,
    Step::Checkpoint,
    Step::Append(2),
    Step::Commit,
    Step::Restart,
    Step::Append(30),
    Step::Commit,
    Step::Append(30),
    Step::Commit,
    Step::Roll,
    Step::Checkpoint,
    Step::Append(7),
    Step::Commit,
    Step::Append(1),
    Step::Commit,
    Step::Append(90),
    Step::Commit,
    Step::Restart,
    Step::KeepHouse,
    Step::Checkpoint,
    Step::Append(1),
    Step::Commit,
    Step::Checkpoint,
    Step::Expire,
    Step::Append(2),
    Step::Commit,
    Step::KeepHouse,
    Step::Append(1),
    Step::Commit,
];

fn take(machine: &mut Machine, writer: &mut LogWriter, step: Step) -> Result<(), LogError> {
    match step {
        Step::Append(count) => (0..count).for_each(|_| machine.append(writer)),
        Step::Commit => machine.commit(writer)?,
        Step::Roll => writer.roll()?,
        Step::Checkpoint => {
            writer.checkpoint()?;
        }
        Step::Mark => writer.settle_mark()?,
        Step::KeepHouse => machine.keep_house(writer)?,
        Step::Expire => machine.expire(),
        Step::Restart => unreachable!("the caller has no writer then"),
    }
    Ok(())
}

/// Lives until the machine stops.
fn live(machine: &mut Machine, steps: impl IntoIterator<Item = Step>) -> Result<(), LogError> {
    let (mut writer, _) = machine.open()?;
    for step in steps {
        match step {
            Step::Restart => {
                drop(writer);
                (writer, _) = machine.open()?;
                if machine.storage.is_down() {
                    return Ok(());
                }
                machine.check(&writer);
            }
            step => take(machine, &mut writer, step)?,
        }
    }
    Ok(())
}

/// A life that the seed decides.
fn any_life(random: &mut Random) -> Vec<Step> {
    let step = |random: &mut Random| match random.below(19) {
        0..6 => Step::Append(random.below(12)),
        6..12 => Step::Commit,
        12 => Step::Roll,
        13 => Step::Checkpoint,
        14 => Step::Restart,
        15 => Step::KeepHouse,
        16 => Step::Expire,
        17 => Step::Mark,
        _ => Step::Append(40),
    };
    (0..30).map(|_| step(random)).collect()
}

/// The machine comes up again, and crashes again while it does, after each operation.
fn recover(machine: &Machine, seed: u64) -> usize {
    let mut crashes = 0;
    for stop in 0.. {
        let _doing = Doing(format!("a crash after operation {stop} of recovery, seed {seed}"));
        let again = machine.with(machine.storage.crash(seed));
        again.storage.crash_at(stop);
        let opened = again.open();
        if !again.storage.is_down() {
            drop(opened);
            break;
        }
        drop(opened);
        let mut third = again.with(again.storage.crash(seed ^ stop));
        let writer = third.reopen();
        third.go_on(writer);
        crashes += 1;
    }
    let mut again = machine.with(machine.storage.crash(seed));
    let writer = again.reopen();
    again.go_on(writer);
    crashes + 1
}

#[test]
fn p3_a_crash_after_each_operation_is_safe() {
    crash_after_each_operation(options);
}

#[test]
fn p3_a_crash_after_each_operation_is_safe_while_the_watermark_is_behind() {
    crash_after_each_operation(lagging_options);
}

fn crash_after_each_operation(options: fn() -> LogOptions) {
    let seed = crate::seed();
    let mut crashes = 0;
    for stop in 0.. {
        let _doing = Doing(format!("a crash after operation {stop}"));
        let mut machine = Machine { options, ..Machine::new(seed) };
        machine.storage.crash_at(stop);
        let lived = live(&mut machine, LIFE.iter().copied());
        let whole = !machine.storage.is_down();
        assert!(!whole || lived.is_ok(), "{:?}", lived.err());
        for round in 0..3 {
            crashes += recover(&machine, seed ^ (stop << 8 | round));
        }
        if whole {
            println!("{stop} operations, {crashes} crashes");
            assert!(stop > 100);
            break;
        }
    }
}

#[test]
fn p3_two_thousand_random_lives_end_in_crashes_and_go_on() {
    const LIVES: u64 = 2_000;
    let seed = crate::seed();
    let mut operations = 0;
    for life in 0..LIVES {
        let _doing = Doing(format!("life {life}"));
        let mut random = Random::new(seed ^ (life << 20));
        let options = if life % 2 == 0 { options } else { lagging_options };
        let mut machine = Machine { options, ..Machine::new(random.next_u64()) };
        for _ in 0..=random.below(3) {
            let steps = any_life(&mut random);
            machine.storage.crash_at(random.below(150) as u64);
            let lived = live(&mut machine, steps);
            assert!(machine.storage.is_down() || lived.is_ok(), "life {life}: {:?}", lived.err());
            operations += machine.storage.operations();
            machine = machine.with(machine.storage.crash(random.next_u64()));
            let writer = machine.reopen();
            machine.go_on(writer);
        }
    }
    println!("{LIVES} lives, {operations} operations");
}
