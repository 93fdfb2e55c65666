//! From a request to the files of a report: the whole of `./x experiments`.

use super::{
    ExperimentError,
    catalogue::{Experiment, calm, policies},
    goals::goals,
    offpolicy::{self, judged, measure_off_policy},
    plans,
    plot::{Chart, Painter},
    report, scaling,
    sections::{head, off_policy_section, plans_section, scaling_section, section},
    statistics::Estimate,
    study::{Finding, Study, StudyOptions},
    trial::TrialOptions,
};

/// Seeds of the planners, at most: a whole network takes as long as a hundred courses.
const PLAN_SEEDS: u64 = 12;
/// Tasks of a log that others are judged by.
const JUDGED_TASKS: usize = 500;

/// A part of the report that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// An experiment: courses under policies and rules.
    Experiment(Experiment),
    /// What a log says of policies that did not write it.
    OffPolicy,
    /// What plans of planners cost, by the number of planners.
    Plans,
    /// How much work and traffic a decision is, by the size of the pool.
    Scaling,
}

/// What to run.
#[derive(Clone, Debug)]
pub struct Request {
    /// The parts of the report, in its order.
    pub sections: Vec<Section>,
    /// The first seed.
    pub first_seed: u64,
    /// How many.
    pub seeds: u64,
    /// Runs at once.
    pub workers: usize,
    /// Divides the rounds of what is not the paper's own.
    pub shorter: usize,
    /// What the report says about where it comes from: commit, machine.
    pub origin: String,
}

/// A file of the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: Vec<u8>,
}

impl Section {
    /// All of them. What is timed comes last, and alone.
    pub fn all() -> Vec<Self> {
        let mut sections = Experiment::ALL.map(Self::Experiment).to_vec();
        sections.extend([Self::OffPolicy, Self::Plans, Self::Scaling]);
        sections
    }

    /// Its name in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Experiment(experiment) => experiment.name(),
            Self::OffPolicy => "offpolicy",
            Self::Plans => "plans",
            Self::Scaling => "scaling",
        }
    }

    /// The part of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::all()
            .into_iter()
            .find(|section| section.name() == name)
    }
}

impl File {
    fn text(name: String, content: String) -> Self {
        Self {
            name,
            content: content.into_bytes(),
        }
    }

    /// Its content, unless it is a picture of pixels.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok()
    }
}

/// Runs everything and writes the report. `progress` is told the part, and how many of its runs are done.
///
/// # Errors
/// [`ExperimentError`] of the first run that could not be run.
pub fn produce(
    request: &Request,
    progress: &(dyn Fn(&str, usize, usize) + Sync),
) -> Result<Vec<File>, ExperimentError> {
    let mut report = Report {
        request,
        progress,
        study: Study::new(StudyOptions {
            first_seed: request.first_seed,
            workers: request.workers,
            trial: TrialOptions::standard()?,
        }),
        painter: Painter::new()?,
        findings: Vec::new(),
        text: String::new(),
        files: Vec::new(),
    };
    for section in &request.sections {
        match section {
            Section::Experiment(experiment) => report.experiment(*experiment)?,
            Section::OffPolicy => report.off_policy()?,
            Section::Plans => report.plans()?,
            Section::Scaling => report.scaling()?,
        }
    }
    let text = head(request, &goals(&report.findings)) + &report.text;
    report.files.push(File::text("report.md".to_owned(), text));
    Ok(report.files)
}

/// A report in the making.
struct Report<'a> {
    request: &'a Request,
    progress: &'a (dyn Fn(&str, usize, usize) + Sync),
    study: Study,
    painter: Painter,
    findings: Vec<(Experiment, Vec<Finding>)>,
    text: String,
    files: Vec<File>,
}

impl Report<'_> {
    fn experiment(&mut self, experiment: Experiment) -> Result<(), ExperimentError> {
        let name = experiment.name();
        let (request, progress) = (self.request, self.progress);
        let seeds = experiment.seeds(request.seeds);
        let cells = experiment.cells(request.shorter);
        let findings = self.study.run(&cells, seeds, &|done, total| {
            progress(name, done, total);
        })?;
        let note = note(seeds);
        for (file, chart) in report::charts(experiment, &findings, &note) {
            self.chart(&file, &chart)?;
        }
        self.files.push(File::text(
            format!("{name}.csv"),
            report::csv(experiment, &findings, seeds),
        ));
        self.files.push(File::text(
            format!("{name}.json"),
            report::json(experiment, &findings, (request.first_seed, seeds)),
        ));
        let seeds = (seeds < request.seeds).then_some(seeds);
        section(
            &mut self.text,
            (experiment, seeds),
            &findings,
            self.study.options(),
        )?;
        self.findings.push((experiment, findings));
        Ok(())
    }

    fn off_policy(&mut self) -> Result<(), ExperimentError> {
        let (request, progress) = (self.request, self.progress);
        let course = calm("a calm world", JUDGED_TASKS / request.shorter.max(1));
        let findings = measure_off_policy(
            &judged(),
            &course,
            (request.first_seed, request.seeds),
            request.workers,
            &|done, total| progress(Section::OffPolicy.name(), done, total),
        )?;
        let chart = report::off_policy_chart(&findings, &note(request.seeds));
        self.chart(Section::OffPolicy.name(), &chart)?;
        self.files.push(File::text(
            "offpolicy.csv".to_owned(),
            offpolicy::csv(&findings),
        ));
        self.text.push_str(&off_policy_section(&findings, &course));
        Ok(())
    }

    fn plans(&mut self) -> Result<(), ExperimentError> {
        let (request, progress) = (self.request, self.progress);
        let seeds = (request.first_seed, request.seeds.min(PLAN_SEEDS));
        let tasks = 60 / u32::try_from(request.shorter.max(1)).unwrap_or(1);
        let plans = plans::measure(
            &plans::PLANNERS,
            tasks,
            seeds,
            request.workers,
            &|done, total| progress(Section::Plans.name(), done, total),
        )?;
        self.text.push_str(&plans_section(&plans, tasks, seeds.1));
        self.files
            .push(File::text("plans.csv".to_owned(), plans::csv(&plans)));
        Ok(())
    }

    /// On one core, with nothing of this program beside it.
    fn scaling(&mut self) -> Result<(), ExperimentError> {
        let (request, progress) = (self.request, self.progress);
        let scales = scaling::measure(
            &scaling::POOLS,
            100 / request.shorter.max(1),
            &|done, total| progress(Section::Scaling.name(), done, total),
        )?;
        self.text.push_str(&scaling_section(&scales));
        self.files
            .push(File::text("scaling.csv".to_owned(), scaling::csv(&scales)));
        Ok(())
    }

    /// A chart twice: for browsers and editors, and for whatever shows nothing but pixels.
    fn chart(&mut self, name: &str, chart: &Chart) -> Result<(), ExperimentError> {
        self.files
            .push(File::text(format!("{name}.svg"), chart.svg()));
        self.files.push(File {
            name: format!("{name}.png"),
            content: chart.png(&self.painter)?,
        });
        Ok(())
    }
}

fn note(seeds: u64) -> String {
    format!("Mean and 95 % interval over {seeds} seeds.")
}

/// The name of the default arm.
pub(super) fn default_name() -> String {
    policies()
        .first()
        .map_or(String::new(), |arm| arm.name().into_owned())
}

/// Zero, for a figure that was not measured.
pub(super) const NOTHING: Estimate = Estimate {
    mean: 0.0,
    half_width: 0.0,
};
