//! P3: a crash after any step is safe.

use bigsec_evidence::simulator::{Random, SimStorage};
use bigsec_evidence::{LogError, LogWriter};

use crate::machine::{DAY, Machine};

/// One step of a log's life.
#[derive(Debug, Clone, Copy)]
enum Step {
    Append(usize),
    Commit,
    Roll,
    Checkpoint,
    Restart,
    Kill,
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
    Step::Append(5),
    Step::Commit,
    Step::Roll,
    Step::Roll,
    Step::Append(4),
    Step::Restart,
    Step::Append(4),
    Step::Commit,
    Step::Checkpoint,
    Step::Checkpoint,
    Step::Append(2),
    Step::Commit,
    Step::Kill,
    Step::Append(30),
    Step::Commit,
    Step::Append(30),
    Step::Commit,
    Step::Roll,
    Step::Checkpoint,
    Step::Append(7),
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
        Step::Restart | Step::Kill => unreachable!("the caller has no writer then"),
    }
    Ok(())
}

/// Lives until the machine stops.
fn live(machine: &mut Machine, steps: impl IntoIterator<Item = Step>) -> Result<(), LogError> {
    let (mut writer, _) = machine.open()?;
    for step in steps {
        match step {
            Step::Restart | Step::Kill => {
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

/// The machine comes up again, and crashes again while it does, after each operation.
fn recover(machine: &Machine, seed: u64) -> usize {
    let mut crashes = 0;
    for stop in 0.. {
        let mut again = machine.with(machine.storage.crash(seed));
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
    let seed = crate::seed();
    let mut crashes = 0;
    for stop in 0.. {
        let mut machine = Machine::new(seed);
        machine.storage.crash_at(stop);
        let lived = live(&mut machine, LIFE.iter().copied());
        assert_eq!(lived.is_err(), machine.storage.is_down(), "{:?}", lived.err());
        let whole = lived.is_ok();
        for round in 0..4 {
            crashes += recover(&machine, seed ^ (stop << 8 | round));
        }
        if whole {
            println!("{stop} operations, {crashes} crashes");
            assert!(stop > 100);
            break;
        }
    }
}
