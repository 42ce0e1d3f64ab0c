//! A card as a file or block device: its record, its labels, and a bundle's way into a slot.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::bundle::{Asked, LONGEST, Refusal, check, pieces, sum};
use crate::choice::{Choice, Slot};
use crate::label::{LABEL_LEN, Label};
use crate::table::{self, CHOICE_AT};

/// An open card.
#[derive(Debug)]
pub struct Card {
    file: File,
}

impl Card {
    /// Opens a card; nothing if the medium is not one of ours.
    ///
    /// # Errors
    /// It can't be opened or read.
    pub fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut card = Self { file: OpenOptions::new().read(true).write(true).open(path)? };
        let ours = match card.table() {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            table => table::is_ours(&table?),
        };
        Ok(ours.then_some(card))
    }

    /// Makes the data partition reach to the medium's end, and tells whether that changed anything.
    ///
    /// # Errors
    /// The card can't be read or written.
    pub fn grow(&mut self) -> io::Result<bool> {
        let medium = self.file.seek(SeekFrom::End(0))?;
        let Some(table) = table::grown(&self.table()?, medium) else { return Ok(false) };
        self.put(0, &table)?;
        self.file.sync_all()?;
        Ok(true)
    }

    /// The record of which slot boots.
    ///
    /// # Errors
    /// The card can't be read.
    pub fn choice(&mut self) -> io::Result<Choice> {
        let mut copies = [[0; 512]; 2];
        for (copy, at) in copies.iter_mut().zip(CHOICE_AT) {
            self.file.seek(SeekFrom::Start(at))?;
            self.file.read_exact(copy)?;
        }
        let [first, second] = &copies;
        Ok(Choice::newest([first, second]))
    }

    /// Writes the record over the older copy, and waits until the medium has it.
    ///
    /// # Errors
    /// The card can't be written.
    pub fn choose(&mut self, choice: &Choice) -> io::Result<()> {
        self.put(CHOICE_AT[choice.place()], &choice.write())?;
        self.file.sync_all()
    }

    /// What a slot's label says, if its content is just what the label describes.
    ///
    /// # Errors
    /// Why the slot is not whole.
    pub fn whole(&mut self, slot: Slot) -> Result<Label, Refusal> {
        let part = slot.part();
        let mut octets = [0; LABEL_LEN];
        self.file.seek(SeekFrom::Start(part.from + LONGEST))?;
        self.file.read_exact(&mut octets)?;
        let label = Label::read(&octets)?;
        if label.len > LONGEST {
            return Err(Refusal::Long(label.len));
        }
        self.file.seek(SeekFrom::Start(part.from))?;
        if sum(&mut self.file, label.len)? == label.sha256 { Ok(label) } else { Err(Refusal::Content) }
    }

    /// Checks a bundle, puts it into a slot that does not run, and has it tried at the next boot.
    ///
    /// A cut of the power at any moment leaves the other slot as the one that boots, until all of this one is on the medium.
    ///
    /// # Errors
    /// Why it is refused; only [`Refusal::Written`] and [`Refusal::Medium`] may come after something was written, and then the slot
    /// does not boot.
    pub fn install(
        &mut self,
        bundle: &mut (impl Read + Seek),
        asked: &Asked<'_>,
        slot: Slot,
    ) -> Result<Label, Refusal> {
        let (octets, label) = check(&mut *bundle, asked)?;
        self.choose(&self.choice_now()?.emptied(slot))?;
        let part = slot.part();
        self.put(part.from + LONGEST, &[0; LABEL_LEN])?;
        self.file.sync_all()?;
        bundle.seek(SeekFrom::Start(LABEL_LEN as u64))?;
        self.file.seek(SeekFrom::Start(part.from))?;
        pieces(bundle, label.len, |piece| self.file.write_all(piece))?;
        self.file.sync_all()?;
        self.put(part.from + LONGEST, &octets[..])?;
        self.file.sync_all()?;
        // The bundle may have changed since it was checked; the label tells.
        if self.whole(slot).ok().as_ref() != Some(&label) {
            return Err(Refusal::Written);
        }
        self.choose(&self.choice_now()?.installed(slot))?;
        Ok(label)
    }

    fn choice_now(&self) -> io::Result<Choice> {
        Self { file: self.file.try_clone()? }.choice()
    }

    fn table(&mut self) -> io::Result<[u8; 512]> {
        let mut table = [0; 512];
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_exact(&mut table)?;
        Ok(table)
    }

    fn put(&mut self, at: u64, octets: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(octets)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use ring::digest::{SHA256, digest};
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use tempfile::NamedTempFile;

    use super::*;
    use crate::choice::Health;
    use crate::label::{SIGNED_LEN, Version};

    fn keys() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[3; 32]).expect("32 octets")
    }

    fn key() -> [u8; 32] {
        keys().public_key().as_ref().try_into().expect("32 octets")
    }

    fn card() -> (NamedTempFile, Card) {
        let file = NamedTempFile::new().expect("a folder for it");
        file.as_file().set_len(table::CARD_LEN).expect("sparse");
        file.as_file().write_all(&table::fresh()).expect("written");
        let card = Card::open(file.path()).expect("it opens").expect("it is ours");
        (file, card)
    }

    fn bundle(version: Version, content: &[u8]) -> Vec<u8> {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, content).as_ref());
        let len = content.len() as u64;
        let label = Label { len, sha256, version, image: "rpi".into(), kernel: "6.12".into() };
        let mut octets = label.write();
        let signature = keys().sign(&octets[..SIGNED_LEN]);
        octets[SIGNED_LEN..].copy_from_slice(signature.as_ref());
        [&octets[..], content].concat()
    }

    fn install(card: &mut Card, bundle: &[u8], asked: &Asked<'_>) -> Result<Label, String> {
        card.install(&mut Cursor::new(bundle), asked, Slot::B).map_err(|refusal| refusal.to_string())
    }

    const TWO: Version = Version::new(2, 0, 0);

    #[test]
    fn a_good_bundle_is_installed_whole_and_tried_next() {
        let (_file, mut card) = card();
        let key = [key()];
        let asked = Asked { keys: &key, image: "rpi", kernel: "6.12", floor: TWO };
        let content = vec![0x5a; 200_001];
        let label = install(&mut card, &bundle(TWO, &content), &asked).expect("it is good");
        assert_eq!(card.whole(Slot::B).expect("whole"), label);
        let choice = card.choice().expect("read");
        assert_eq!((choice.preferred, choice.of(Slot::B).health), (Slot::B, Health::Trial));
    }

    #[test]
    fn what_is_not_for_this_box_is_refused_by_name_and_nothing_is_written() {
        let (file, mut card) = card();
        let key = [key()];
        let asked = Asked { keys: &key, image: "rpi", kernel: "6.12", floor: TWO };
        let good = bundle(TWO, &[1; 5000]);
        let before = std::fs::read(file.path()).expect("read");
        let elsewhere = [
            (Asked { keys: &[[9; 32]], ..asked.clone() }, "not signed"),
            (Asked { image: "qemu-virt", ..asked.clone() }, "this box takes qemu-virt"),
            (Asked { kernel: "6.13", ..asked.clone() }, "boots 6.13"),
            (Asked { floor: Version::new(2, 0, 1), ..asked.clone() }, "2.0.1 or later"),
        ];
        for (asked, told) in elsewhere {
            let refusal = install(&mut card, &good, &asked).expect_err("not for this box");
            assert!(refusal.contains(told), "{refusal}");
        }
        let longer = [&good[..], &[0]].concat();
        for wrong in [&good[..good.len() - 1], &good[..LABEL_LEN], &good[..100], &[], &longer[..]] {
            assert!(install(&mut card, wrong, &asked).expect_err("cut").contains("end"));
        }
        for at in (0..good.len()).step_by(97).chain(LABEL_LEN - 64..LABEL_LEN + 4) {
            let mut wrong = good.clone();
            wrong[at] ^= 4;
            install(&mut card, &wrong, &asked).expect_err("one bit is wrong");
        }
        assert!(std::fs::read(file.path()).expect("read") == before, "the card was written");
    }

    #[test]
    fn a_slot_with_one_wrong_bit_is_not_whole() {
        let (_file, mut card) = card();
        let key = [key()];
        let asked = Asked { keys: &key, image: "rpi", kernel: "6.12", floor: TWO };
        install(&mut card, &bundle(TWO, &[1; 5000]), &asked).expect("it is good");
        card.put(Slot::B.part().from + 4999, &[0]).expect("written");
        assert!(matches!(card.whole(Slot::B), Err(Refusal::Content)));
        assert!(matches!(card.whole(Slot::A), Err(Refusal::Label(_))));
    }

    #[test]
    fn the_record_survives_and_growth_keeps_it() {
        let (file, mut card) = card();
        let choice = Choice::NEW.installed(Slot::B);
        card.choose(&choice).expect("written");
        file.as_file().set_len(table::CARD_LEN + (1 << 30)).expect("sparse");
        assert!(card.grow().expect("written") && !card.grow().expect("nothing to do"));
        let mut again = Card::open(file.path()).expect("it opens").expect("still ours");
        assert_eq!(again.choice().expect("read"), choice);
    }

    #[test]
    fn other_media_are_left_alone() {
        let file = NamedTempFile::new().expect("a folder for it");
        assert!(Card::open(file.path()).expect("it opens").is_none(), "empty");
        file.as_file().set_len(1 << 20).expect("sparse");
        assert!(Card::open(file.path()).expect("it opens").is_none(), "zeros");
    }
}
