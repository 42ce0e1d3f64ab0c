//! The gateway's part of a backup: what people made of it, taken and put back.

use policy::indicators;
use protocol::Request;
use protocol::views::{IndicatorsView, PolicyView, SettingView};
use serde_json::Value;

use crate::backup::{Line, List, Writer};
use crate::clock::now;
use crate::office::Office;
use crate::problem::Problem;

/// The longest that a list holds. **Units**: seconds.
const LONGEST: u64 = 3_650 * 86_400;
/// Who set a value that people set while the gateway ran.
const HERE: &str = "here";

/// What people made of a gateway.
#[derive(Debug, Default)]
pub struct Made {
    /// The policy, as text.
    pub policy: String,
    /// The devices, as they are kept.
    pub devices: Vec<Value>,
    /// Settings: name and value.
    pub settings: Vec<(String, Value)>,
    /// Lists of indicators.
    pub lists: Vec<List>,
}

impl Made {
    /// What there is.
    ///
    /// # Errors
    /// 409: the gateway does not say.
    pub fn of(office: &Office) -> Result<Self, Problem> {
        let policy = office.ask::<PolicyView>(Request::Policy)?.text;
        let set = settings(office)?.into_iter().filter(|view| view.origin == HERE);
        let list = |view: IndicatorsView| {
            let text = office.ask(Request::IndicatorsText { name: view.name.clone() })?;
            let high = view.level == "HIGH";
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time since the epoch")]
            Ok(List { name: view.name, text, high, origin: view.origin, until: view.until as u64 })
        };
        let lists = lists(office)?.into_iter().filter(|view| !view.over).map(list);
        Ok(Self {
            policy,
            devices: office.ask(Request::DevicesKept)?,
            settings: set.map(|view| (view.id, view.value)).collect(),
            lists: lists.collect::<Result<_, Problem>>()?,
        })
    }

    /// Writes it into a backup.
    ///
    /// # Errors
    /// 409: the backup would be too large.
    pub fn write(self, writer: &mut Writer) -> Result<(), Problem> {
        writer.line(&Line::Policy(self.policy))?;
        self.devices.into_iter().try_for_each(|device| writer.line(&Line::Device(Box::new(device))))?;
        self.settings.into_iter().try_for_each(|(id, value)| writer.line(&Line::Setting(id, value)))?;
        self.lists.into_iter().try_for_each(|list| writer.line(&Line::List(list)))
    }

    /// Whether a gateway could live with it.
    ///
    /// # Errors
    /// 422: it holds what is no policy, or no list.
    pub fn check(&self) -> Result<(), Problem> {
        let told = |faults: &[policy::text::Fault]| Problem::field("backup", crate::api::policy::told(faults));
        policy::text::read(&self.policy).map_err(|faults| told(&faults))?;
        self.lists.iter().try_for_each(|list| indicators::read(&list.text).map(drop).map_err(|faults| told(&faults)))
    }

    /// Puts policy and devices in place of those that there are: both, or neither.
    ///
    /// # Errors
    /// 409: the gateway takes one of them not, and nothing was changed.
    pub fn put(&self, office: &Office, author: &str) -> Result<(), Problem> {
        let held: PolicyView = office.ask(Request::Policy)?;
        if held.confirm_within.is_some() {
            return Err(Problem::conflict("a policy is on trial; confirm it or go back first"));
        }
        let before: Vec<Value> = office.ask(Request::DevicesKept)?;
        office.ask::<u64>(Request::DevicesReplace { devices: self.devices.clone() })?;
        let (author, why, text) = (author.to_owned(), "restored from a backup".to_owned(), self.policy.clone());
        let apply =
            Request::PolicyApply { text, within_secs: None, author, why, force: true, if_version: None, brief: true };
        office.ask::<PolicyView>(apply).map(drop).inspect_err(|_| {
            if let Err(problem) = office.ask::<u64>(Request::DevicesReplace { devices: before }) {
                tracing::error!("devices of a backup that was refused stay: {}", problem.detail);
            }
        })
    }

    /// Puts settings and lists in place of those that there are, as far as this box takes them. What it did not take, with its reason.
    ///
    /// # Errors
    /// 409: the gateway does not say what there is.
    pub fn settle(&self, office: &Office) -> Result<Vec<String>, Problem> {
        let mut left = Vec::new();
        let mut tell = |what: String, done: Result<(), Problem>| {
            left.extend(done.err().map(|problem| format!("{what}: {}", problem.detail)));
        };
        let set = |id: String, value| office.ask::<SettingView>(Request::Set { id, value }).map(drop);
        for view in settings(office)?.into_iter().filter(|view| view.origin == HERE) {
            if self.settings.iter().all(|(id, _)| *id != view.id) {
                tell(view.id.clone(), set(view.id, None));
            }
        }
        for (id, value) in &self.settings {
            tell(id.clone(), set(id.clone(), Some(value.to_string())));
        }
        for view in lists(office)? {
            if self.lists.iter().all(|list| list.name != view.name) {
                let gone = office.ask::<IndicatorsView>(Request::IndicatorsRemove { name: view.name.clone() });
                tell(format!("list {}", view.name), gone.map(drop));
            }
        }
        for List { name, text, high, origin, until } in self.lists.iter().cloned() {
            let for_secs = until.saturating_sub(now().secs()).min(LONGEST);
            if for_secs == 0 {
                tell(format!("list {name}"), Err(Problem::conflict("it held until a time that is over")));
                continue;
            }
            let load = Request::IndicatorsLoad { name: name.clone(), text, high, origin, for_secs };
            tell(format!("list {name}"), office.ask::<IndicatorsView>(load).map(drop));
        }
        Ok(left)
    }
}

fn settings(office: &Office) -> Result<Vec<SettingView>, Problem> {
    office.ask(Request::Settings)
}

fn lists(office: &Office) -> Result<Vec<IndicatorsView>, Problem> {
    office.ask(Request::Indicators)
}

#[cfg(test)]
mod tests {
    use super::Request;

    /// What becomes of what a request makes of the gateway.
    #[allow(dead_code, reason = "a request that is added does not compile before it is decided here what a backup does with it")]
    #[rustfmt::skip]
    fn kept(request: &Request) -> Result<(), &'static str> {
        use Request as R;
        match request {
            R::PolicyApply { .. } | R::PolicyConfirm { .. } | R::PolicyRevert { .. } | R::PolicyPosture { .. } | R::PolicyDevice { .. }
            | R::Devices(_) | R::DevicesReplace { .. } | R::Set { .. } | R::IndicatorsLoad { .. } | R::IndicatorsRemove { .. } => Ok(()),
            R::Recover { .. } | R::Access(_) | R::Source(_) | R::Certificate(_) => Ok(()), // rows of the API
            R::Block { .. } | R::Unblock { .. } => Err("blocks end by themselves, and a host that goes on is found anew"),
            R::Feedback { .. } | R::Unsay { .. } => Err("it is said of an event of the history, which is no part of a backup"),
            R::ModelLoad { .. } | R::ModelRevert | R::ModelShadow { .. } | R::ModelUnshadow =>
                Err("a forest is a signed file that whoever loaded it has; which keys may sign says the configuration's file"),
            R::Logs(_) | R::SourceGone { .. } => Err("what hosts log is history, and no part of a backup"),
            R::Mail(_) | R::Post(_) | R::Report(_) | R::Restart | R::Shutdown { .. } => Err("it makes nothing that stays"),
            R::Status | R::Hosts | R::Events { .. } | R::EventsBefore { .. } | R::EventsAfter { .. } | R::Event { .. } | R::Flows { .. } | R::FlowLots { .. }
            | R::Series { .. } | R::Blocks | R::Explain { .. } | R::Audit { .. }
            | R::AuditTrailer { .. } | R::Feedbacks | R::Policy | R::PolicyVersion { .. } | R::PolicyHistory | R::PolicyExplain { .. }
            | R::DevicesKept | R::Model | R::ModelCheck { .. } | R::ModelClassify { .. } | R::Indicators | R::IndicatorsText { .. }
            | R::Activity(_) | R::ActivityCount(_) | R::ActivityTest(_) | R::Sources | R::Subjects | R::SubjectName { .. } | R::Incidents { .. } | R::Settings
            | R::Machine => Err("it asks"),
        }
    }
}
