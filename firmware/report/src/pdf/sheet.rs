//! Sheets of paper, filled from the top: text under tags, drawings beside them, numbers at the foot.
//!
//! Every text belongs to an element of the structure tree (ISO 32000-1, 14.7), so that a reader who listens hears headings, paragraphs and tables;
//! lines, colours and page numbers are artifacts (14.8.2.2).

use pdf_writer::types::{ArtifactType, StructRole};
use pdf_writer::writers::StructTreeRoot;
use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};

use super::letters::{octets, width};

/// A4, in points.
pub const WIDE: f32 = 595.0;
const HIGH: f32 = 842.0;
/// The white on every side.
pub const MARGIN: f32 = 48.0;
/// Where the text ends, above the page's number.
const FOOT: f32 = 64.0;
/// The two fonts.
const PLAIN: Name<'static> = Name(b"F1");
const BOLD: Name<'static> = Name(b"F2");

/// A colour, as red, green and blue.
pub type Colour = [f32; 3];
/// Text.
pub const INK: Colour = [0.11, 0.14, 0.16];
/// Text that explains.
pub const GREY: Colour = [0.29, 0.33, 0.37];
/// What is bad.
pub const RED: Colour = [0.64, 0.09, 0.06];
/// What is not as bad.
pub const AMBER: Colour = [0.82, 0.54, 0.11];
/// A line.
pub const LINE: Colour = [0.83, 0.86, 0.88];

struct Tag {
    role: StructRole,
    alt: Option<String>,
    parent: usize,
    parts: Vec<Part>,
}

enum Part {
    Tag(usize),
    Mark(usize, i32),
}

/// The sheets, as far as they are filled.
pub struct Sheets {
    pages: Vec<Content>,
    /// The tag of each mark of each page.
    marks: Vec<Vec<usize>>,
    tags: Vec<Tag>,
    open: usize,
    y: f32,
}

impl Sheets {
    /// One empty sheet.
    pub fn new() -> Self {
        let document = Tag { role: StructRole::Document, alt: None, parent: 0, parts: Vec::new() };
        let mut sheets = Self { pages: Vec::new(), marks: Vec::new(), tags: vec![document], open: 0, y: 0.0 };
        sheets.turn();
        sheets
    }

    /// Begins the next sheet.
    pub fn turn(&mut self) {
        self.pages.push(Content::new());
        self.marks.push(Vec::new());
        self.y = HIGH - MARGIN;
    }

    /// Whether so many points are left on this sheet.
    pub fn fits(&self, points: f32) -> bool {
        self.y - points >= FOOT
    }

    /// Goes down by so many points.
    pub fn down(&mut self, points: f32) {
        self.y -= points;
    }

    /// What is written in `inside` belongs to one element.
    pub fn tagged(&mut self, role: StructRole, inside: impl FnOnce(&mut Self)) {
        self.begin(role, None);
        inside(self);
        self.end();
    }

    /// A picture, with what it shows in words; `inside` draws with the origin at its lower left corner.
    pub fn figure(&mut self, high: f32, alt: String, inside: impl FnOnce(&mut Content)) {
        self.begin(StructRole::Figure, Some(alt));
        let id = self.mark();
        let y = self.y - high;
        if let Some(content) = self.pages.last_mut() {
            content.begin_marked_content_with_properties(Name(b"Figure")).properties().identify(id);
            content.save_state().transform([1.0, 0.0, 0.0, 1.0, MARGIN, y]);
            inside(content);
            content.restore_state().end_marked_content();
        }
        self.down(high);
        self.end();
    }

    /// Writes octets at the present height, so far from the left margin.
    pub fn write(&mut self, x: f32, text: &[u8], size: f32, bold: bool, colour: Colour) {
        let id = self.mark();
        let (role, y) = (self.tags[self.open].role, self.y);
        if let Some(content) = self.pages.last_mut() {
            content.begin_marked_content_with_properties(role.to_name()).properties().identify(id);
            letters(content, [MARGIN + x, y], text, size, bold, colour);
            content.end_marked_content();
        }
    }

    /// Draws a thin line over the whole width.
    pub fn rule(&mut self) {
        let y = self.y;
        if let Some(content) = self.pages.last_mut() {
            artifact(content, ArtifactType::Layout);
            content.set_stroke_rgb(LINE[0], LINE[1], LINE[2]).set_line_width(0.6);
            content.move_to(MARGIN, y).line_to(WIDE - MARGIN, y).stroke().end_marked_content();
        }
    }

    fn begin(&mut self, role: StructRole, alt: Option<String>) {
        let new = self.tags.len();
        self.tags.push(Tag { role, alt, parent: self.open, parts: Vec::new() });
        self.tags[self.open].parts.push(Part::Tag(new));
        self.open = new;
    }

    fn end(&mut self) {
        self.open = self.tags[self.open].parent;
    }

    /// The number of the next mark on this sheet, which belongs to the open element.
    fn mark(&mut self) -> i32 {
        let page = self.pages.len() - 1;
        let id = i32::try_from(self.marks[page].len()).unwrap_or(i32::MAX);
        self.marks[page].push(self.open);
        self.tags[self.open].parts.push(Part::Mark(page, id));
        id
    }

    /// The document.
    pub fn finish(mut self, title: &str) -> Vec<u8> {
        let mut next = Ref::new(1);
        let [catalog, tree, root, info, plain, bold] = std::array::from_fn(|_| next.bump());
        let pages: Vec<(Ref, Ref, Ref)> = self.pages.iter().map(|_| (next.bump(), next.bump(), next.bump())).collect();
        let tags: Vec<Ref> = self.tags.iter().map(|_| next.bump()).collect();
        let count = self.pages.len();
        let mut pdf = Pdf::new();
        pdf.set_version(1, 7);
        {
            let mut of = pdf.catalog(catalog);
            of.pages(tree).lang(TextStr("en"));
            of.mark_info().marked(true);
            of.viewer_preferences().display_doc_title(true);
            of.pair(Name(b"StructTreeRoot"), root);
        }
        pdf.document_info(info).title(TextStr(title)).producer(TextStr("Picket"));
        let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        pdf.pages(tree).kids(pages.iter().map(|page| page.0)).count(number(count));
        for (font, name) in [(plain, &b"Helvetica"[..]), (bold, b"Helvetica-Bold")] {
            pdf.type1_font(font).base_font(Name(name)).encoding_predefined(Name(b"WinAnsiEncoding"));
        }
        for (n, mut content) in std::mem::take(&mut self.pages).into_iter().enumerate() {
            let (page, stream, parents) = pages[n];
            artifact(&mut content, ArtifactType::Pagination);
            let foot = octets(&format!("{title}    page {} of {count}", n + 1));
            let x = WIDE - MARGIN - width(&foot, 8.0, false);
            letters(&mut content, [x, MARGIN - 12.0], &foot, 8.0, false, GREY);
            content.end_marked_content();
            pdf.stream(stream, &content.finish());
            let mut of = pdf.page(page);
            of.parent(tree).media_box(Rect::new(0.0, 0.0, WIDE, HIGH)).contents(stream).struct_parents(number(n));
            of.resources().fonts().pair(PLAIN, plain).pair(BOLD, bold);
            of.finish();
            pdf.indirect(parents).array().items(self.marks[n].iter().map(|tag| tags[*tag]));
        }
        {
            let mut of = pdf.indirect(root).start::<StructTreeRoot>();
            of.child(tags[0]).parent_tree_next_key(number(count));
            let mut tree = of.parent_tree();
            let mut nums = tree.nums();
            for (n, page) in pages.iter().enumerate() {
                nums.insert(number(n), page.2);
            }
        }
        for (n, tag) in self.tags.iter().enumerate() {
            let mut of = pdf.struct_element(tags[n]);
            of.kind(tag.role).parent(if n == 0 { root } else { tags[tag.parent] });
            if let Some(alt) = &tag.alt {
                of.alt(TextStr(alt));
            }
            let mut children = of.children();
            for part in &tag.parts {
                match part {
                    Part::Tag(child) => {
                        children.struct_element(tags[*child]);
                    }
                    Part::Mark(page, id) => {
                        children.marked_content_ref().page(pages[*page].0).marked_content_id(*id);
                    }
                }
            }
        }
        pdf.finish()
    }
}

fn artifact(content: &mut Content, kind: ArtifactType) {
    content.begin_marked_content_with_properties(Name(b"Artifact")).properties().artifact().kind(kind);
}

fn letters(content: &mut Content, at: [f32; 2], text: &[u8], size: f32, bold: bool, colour: Colour) {
    content.set_fill_rgb(colour[0], colour[1], colour[2]);
    content.begin_text().set_font(if bold { BOLD } else { PLAIN }, size);
    content.next_line(at[0], at[1]).show(Str(text)).end_text();
}
