//! The compiled contexts of one loader, and which leads to which.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::RwLock;

use foldhash::HashMap;
use serde_json::Value;

use super::ActiveContext;
use super::ContextProcessor;
use super::Scope;
use super::loader::MAX_CACHED;
use super::table::Table;
use super::table::Term;

/// Grows only. A table is never moved or dropped while the loader lives unchanged, so that a document is read
/// without locks and without counting references.
pub(crate) struct Tables {
    /// None: the direct path cannot use this context.
    slots: Box<[OnceLock<Option<Table>>]>,
    /// The slot of each active context, by its id.
    numbers: Mutex<HashMap<u64, usize>>,
    /// What a registered context makes of the context in a slot.
    by_url: RwLock<HashMap<usize, HashMap<Box<str>, usize>>>,
}

/// The slot of a context that follows from another, once it is known.
#[derive(Default)]
pub(crate) struct Link(OnceLock<usize>);

/// The slot of the initial context.
const INITIAL: usize = 0;

impl Tables {
    pub(super) fn new() -> Self {
        Self {
            slots: (0..=MAX_CACHED).map(|_| OnceLock::new()).collect(),
            numbers: Mutex::default(),
            by_url: RwLock::default(),
        }
    }

    /// The context before any `@context`.
    pub(crate) fn initial(&self) -> Option<&Table> {
        if self.slots.get(INITIAL)?.get().is_none() {
            self.number(&Arc::new(ActiveContext::initial()))?;
        }
        self.table(INITIAL)
    }

    /// `table` with a local context of registered ones on it. None for other local contexts.
    pub(crate) fn local<'t>(
        &'t self,
        table: &'t Table,
        local: &Value,
        processor: &mut ContextProcessor<'_>,
    ) -> Option<&'t Table> {
        let urls = match local {
            Value::Array(urls) => urls.as_slice(),
            single => std::slice::from_ref(single),
        };
        urls.iter()
            .try_fold(table, |table, url| self.registered(table, url, processor))
    }

    fn registered<'t>(
        &'t self,
        table: &Table,
        local: &Value,
        processor: &mut ContextProcessor<'_>,
    ) -> Option<&'t Table> {
        let url = local.as_str()?;
        let from = table.number;
        {
            let by_url = self.by_url.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = by_url.get(&from).and_then(|urls| urls.get(url)) {
                return self.table(*known);
            }
        }
        let made = processor.apply_local(&table.active, local).ok()?;
        let number = self.number(&made)?;
        let mut by_url = self.by_url.write().unwrap_or_else(PoisonError::into_inner);
        by_url.entry(from).or_default().insert(url.into(), number);
        self.table(number)
    }

    /// The context of an object below the property `term` of `table`; `ends`: the context of a type, if there
    /// is one, ends here.
    pub(crate) fn below<'t>(
        &'t self,
        table: &'t Table,
        term: Option<&Term>,
        ends: bool,
        processor: &mut ContextProcessor<'_>,
    ) -> Option<&'t Table> {
        let base = match &table.previous {
            Some(previous) if ends => self.follow(previous, || table.active.previous.clone())?,
            Some(_) | None => table,
        };
        let Some(term) = term.filter(|term| term.has_scoped_context()) else {
            return Some(base);
        };
        let [stays, ended] = &term.below;
        let link = if std::ptr::eq(base, table) { stays } else { ended };
        self.follow(link, || {
            processor
                .apply_scoped(&base.active, &term.definition, &table.active, Scope::Property)
                .ok()
        })
    }

    /// The context of a node of the type `term` of `table`.
    pub(crate) fn inside<'t>(
        &'t self,
        table: &'t Table,
        term: &Term,
        processor: &mut ContextProcessor<'_>,
    ) -> Option<&'t Table> {
        if !term.has_scoped_context() {
            return Some(table);
        }
        self.follow(&term.inside, || {
            processor
                .apply_scoped(&table.active, &term.definition, &table.active, Scope::Type)
                .ok()
        })
    }

    fn follow(&self, link: &Link, make: impl FnOnce() -> Option<Arc<ActiveContext>>) -> Option<&Table> {
        let number = if let Some(number) = link.0.get() {
            *number
        } else {
            let number = self.number(&make()?)?;
            *link.0.get_or_init(|| number)
        };
        self.table(number)
    }

    fn table(&self, number: usize) -> Option<&Table> {
        self.slots.get(number)?.get()?.as_ref()
    }

    /// The slot of `active`. None if it is not one that the loader keeps, or if all slots are taken.
    fn number(&self, active: &Arc<ActiveContext>) -> Option<usize> {
        let id = active.id?;
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(number) = numbers.get(&id) {
            return Some(*number);
        }
        // Slot 0 is kept for the initial context, whose id is 0.
        let number = if id == 0 {
            INITIAL
        } else {
            numbers.len() + usize::from(!numbers.contains_key(&0))
        };
        let slot = self.slots.get(number)?;
        slot.get_or_init(|| Table::compile(active, number));
        numbers.insert(id, number);
        Some(number)
    }
}
