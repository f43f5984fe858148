package dev.ossicle.cli.terminal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.commonmark.ext.gfm.tables.TableBlock;
import org.commonmark.ext.gfm.tables.TableCell;
import org.commonmark.ext.gfm.tables.TableCell.Alignment;
import org.commonmark.ext.gfm.tables.TableRow;
import org.commonmark.node.Node;
import org.jline.utils.AttributedString;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;

/**
 * A table in columns. Where they do not fit, the widest are made narrower and their cells break into lines; where even that
 * does not help, every row is told as a list of its cells.
 */
final class Table {
    /** Below this a column is no column any more. */
    private static final int MIN_COLUMN = 4;

    private static final String SEPARATOR = " │ ";

    @FunctionalInterface
    interface CellText {
        AttributedString of(Node cell, AttributedStyle style);
    }

    private final List<List<AttributedString>> rows = new ArrayList<>();
    private final List<Alignment> alignments = new ArrayList<>();
    private int columns;

    Table(TableBlock table, CellText text, AttributedStyle headerStyle) {
        for (Node part = table.getFirstChild(); part != null; part = part.getNext()) {
            for (Node row = part.getFirstChild(); row != null; row = row.getNext()) {
                if (row instanceof TableRow) {
                    rows.add(cells(row, text, headerStyle));
                }
            }
        }
    }

    private List<AttributedString> cells(Node row, CellText text, AttributedStyle headerStyle) {
        List<AttributedString> cells = new ArrayList<>();
        for (Node node = row.getFirstChild(); node != null; node = node.getNext()) {
            if (node instanceof TableCell cell) {
                if (rows.isEmpty()) {
                    alignments.add(cell.getAlignment() == null ? Alignment.LEFT : cell.getAlignment());
                }
                cells.add(text.of(cell, cell.isHeader() ? headerStyle : AttributedStyle.DEFAULT));
            }
        }
        columns = Math.max(columns, cells.size());
        return cells;
    }

    List<AttributedString> lines(int width, AttributedStyle lineStyle) {
        int room = width - SEPARATOR.length() * (columns - 1);
        if (columns == 0) {
            return List.of();
        }
        int[] natural = new int[columns];
        for (List<AttributedString> row : rows) {
            for (int c = 0; c < row.size(); c++) {
                natural[c] = Math.max(natural[c], widest(row.get(c)));
            }
        }
        if (room < Arrays.stream(natural).map(w -> Math.min(w, MIN_COLUMN)).sum()) {
            return records(width, lineStyle);
        }
        int[] widths = fitted(natural, room);
        List<AttributedString> lines = new ArrayList<>();
        for (int r = 0; r < rows.size(); r++) {
            lines.addAll(row(rows.get(r), widths, lineStyle));
            if (r == 0) {
                lines.add(underline(widths, lineStyle));
            }
        }
        return lines;
    }

    private static int widest(AttributedString cell) {
        return cell.toString().lines().mapToInt(Cells::width).max().orElse(0);
    }

    /** A cap on all columns, as high as there is room. */
    private static int[] fitted(int[] natural, int room) {
        int cap = Arrays.stream(natural).max().orElse(0);
        while (cap > MIN_COLUMN && capped(natural, cap) > room) {
            cap--;
        }
        int[] widths = new int[natural.length];
        int left = Math.max(0, room - capped(natural, cap));
        for (int c = 0; c < natural.length; c++) {
            widths[c] = Math.min(natural[c], cap);
            if (natural[c] > cap && left > 0) {
                widths[c]++;
                left--;
            }
        }
        return widths;
    }

    private static int capped(int[] natural, int cap) {
        return Arrays.stream(natural).map(w -> Math.min(w, cap)).sum();
    }

    private List<AttributedString> row(List<AttributedString> cells, int[] widths, AttributedStyle lineStyle) {
        List<List<AttributedString>> wrapped = new ArrayList<>();
        int height = 1;
        for (int c = 0; c < columns; c++) {
            AttributedString cell = c < cells.size() ? cells.get(c) : AttributedString.EMPTY;
            wrapped.add(Wrap.words(cell, Math.max(1, widths[c])));
            height = Math.max(height, wrapped.get(c).size());
        }
        List<AttributedString> lines = new ArrayList<>();
        for (int y = 0; y < height; y++) {
            AttributedStringBuilder line = new AttributedStringBuilder();
            for (int c = 0; c < columns; c++) {
                if (c > 0) {
                    line.append(SEPARATOR, lineStyle);
                }
                AttributedString part =
                        y < wrapped.get(c).size() ? wrapped.get(c).get(y) : AttributedString.EMPTY;
                int free = Math.max(0, widths[c] - Cells.width(part));
                int before = c >= alignments.size()
                        ? 0
                        : switch (alignments.get(c)) {
                            case LEFT -> 0;
                            case CENTER -> free / 2;
                            case RIGHT -> free;
                        };
                line.append(" ".repeat(before)).append(part);
                if (c < columns - 1) {
                    line.append(" ".repeat(free - before));
                }
            }
            lines.add(line.toAttributedString());
        }
        return lines;
    }

    private static AttributedString underline(int[] widths, AttributedStyle lineStyle) {
        StringBuilder line = new StringBuilder();
        for (int c = 0; c < widths.length; c++) {
            line.append(c == 0 ? "" : "─┼─").append("─".repeat(widths[c]));
        }
        return new AttributedString(line, lineStyle);
    }

    private List<AttributedString> records(int width, AttributedStyle lineStyle) {
        List<AttributedString> lines = new ArrayList<>();
        List<AttributedString> header = rows.getFirst();
        if (rows.size() == 1) {
            header.forEach(cell -> lines.addAll(Wrap.words(cell, width)));
        }
        for (int r = 1; r < rows.size(); r++) {
            if (r > 1) {
                lines.add(new AttributedString("─".repeat(Math.max(1, width / 2)), lineStyle));
            }
            List<AttributedString> row = rows.get(r);
            for (int c = 0; c < row.size(); c++) {
                AttributedStringBuilder cell = new AttributedStringBuilder();
                if (c < header.size() && header.get(c).length() > 0) {
                    cell.append(header.get(c)).append(": ");
                }
                lines.addAll(Wrap.words(cell.append(row.get(c)).toAttributedString(), width));
            }
        }
        return lines;
    }
}
