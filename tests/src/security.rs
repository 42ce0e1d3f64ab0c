//! The list of what is asked of the admin API (`tests/security.md`): each test that it names is there.

use crate::named::is_a_test;

/// The list.
const LIST: &str = include_str!("../security.md");

#[test]
fn every_test_that_the_list_of_requirements_names_exists() {
    let mut named = 0;
    for line in LIST
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| item") && !line.starts_with("| provision"))
    {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty()), "three cells, none empty: {line}");
        let quoted = cells[2].split('`').skip(1).step_by(2);
        for (file, test) in quoted.filter_map(|text| text.split_once(".rs: ")) {
            assert!(is_a_test(&format!("{file}.rs"), test), "{test} in {file}.rs is no test");
            named += 1;
        }
    }
    assert!(named >= 80, "{named} tests are named only");
}
