package dev.ossicle.tools.documents;

/**
 * What became of a folder's files.
 *
 * @param documents that can be found
 * @param read of them now, since they were new or had changed
 * @param removed since the last time
 * @param binary files that are no text: not searched
 * @param large texts of more than {@link DocumentFolder#MOST_BYTES} bytes: not searched
 * @param unreadable files and folders that could not be read: not searched
 * @param links that were not followed
 */
public record Inventory(int documents, int read, int removed, int binary, int large, int unreadable, int links) {
    /** One line for a user. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(documents + " documents, " + read + " of them new or changed");
        append(text, removed, " removed");
        append(text, binary, " binary files skipped");
        append(text, large, " skipped as larger than " + (DocumentFolder.MOST_BYTES >> 20) + " MiB");
        append(text, unreadable, " unreadable");
        append(text, links, " links not followed");
        return text.toString();
    }

    private static void append(StringBuilder text, int count, String what) {
        if (count > 0) {
            text.append(", ").append(count).append(what);
        }
    }
}
