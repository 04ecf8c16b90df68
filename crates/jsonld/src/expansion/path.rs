//! The way from the top of a document to an element, as a list from its end: nothing is allocated unless
//! somebody asks for it.

/// One step of the way.
#[derive(Clone, Copy)]
pub(super) struct Step<'p> {
    before: Option<&'p Self>,
    name: Name<'p>,
}

#[derive(Clone, Copy)]
enum Name<'p> {
    Index(usize),
    Key(&'p str),
}

impl<'p> Step<'p> {
    pub(super) const fn index(before: Option<&'p Self>, index: usize) -> Self {
        let name = Name::Index(index);
        Self { before, name }
    }

    pub(super) const fn key(before: Option<&'p Self>, key: &'p str) -> Self {
        let name = Name::Key(key);
        Self { before, name }
    }

    /// The [JSON pointer](https://www.rfc-editor.org/rfc/rfc6901) of a way.
    pub(super) fn pointer(mut last: Option<&Self>) -> String {
        let mut names = Vec::new();
        while let Some(step) = last {
            names.push(step.name);
            last = step.before;
        }
        let mut pointer = String::new();
        for name in names.iter().rev() {
            pointer.push('/');
            match name {
                Name::Index(index) => pointer.push_str(&index.to_string()),
                Name::Key(key) => pointer.push_str(&key.replace('~', "~0").replace('/', "~1")),
            }
        }
        pointer
    }
}
