//! Tables in Markdown, aligned so that they read as well in a terminal.

/// Prints a titled table: the first column to the left, the others to the right.
pub fn print(title: &str, header: &[&str], rows: &[Vec<String>]) {
    let mut lines = vec![header.iter().map(ToString::to_string).collect::<Vec<_>>()];
    lines.extend_from_slice(rows);
    let widths: Vec<usize> = (0..header.len())
        .map(|column| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();

    println!("\n{title}\n");
    print_line(&lines[0], &widths);
    let rule: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(column, width)| {
            if column == 0 {
                "-".repeat(*width)
            } else {
                "-".repeat(width - 1) + ":"
            }
        })
        .collect();
    print_line(&rule, &widths);
    for line in &lines[1..] {
        print_line(line, &widths);
    }
}

fn print_line(cells: &[String], widths: &[usize]) {
    let mut line = String::from("|");
    for (column, (cell, &width)) in cells.iter().zip(widths).enumerate() {
        line += &if column == 0 {
            format!(" {cell:<width$} |")
        } else {
            format!(" {cell:>width$} |")
        };
    }
    println!("{line}");
}
