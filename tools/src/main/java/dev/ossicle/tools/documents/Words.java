package dev.ossicle.tools.documents;

import java.io.Reader;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.StopFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.Tokenizer;
import org.apache.lucene.analysis.charfilter.MappingCharFilter;
import org.apache.lucene.analysis.charfilter.NormalizeCharMap;
import org.apache.lucene.analysis.cjk.CJKBigramFilter;
import org.apache.lucene.analysis.cjk.CJKWidthFilter;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.standard.StandardTokenizer;

/**
 * Text in words: as Unicode parts them, pairs of characters where writing does not part words, without case and accents,
 * English endings cut.
 */
final class Words extends Analyzer {
    /** Names with dots and underscores are words side by side. */
    private static final NormalizeCharMap MARKS = marks();

    private final CharArraySet ignored;

    private Words(CharArraySet ignored) {
        this.ignored = ignored;
    }

    /** For documents: every word. */
    static Words all() {
        return new Words(CharArraySet.EMPTY_SET);
    }

    /** For what is looked for: without the words that every English document has. */
    static Words telling() {
        return new Words(EnglishAnalyzer.ENGLISH_STOP_WORDS_SET);
    }

    private static NormalizeCharMap marks() {
        NormalizeCharMap.Builder marks = new NormalizeCharMap.Builder();
        marks.add(".", " ");
        marks.add("_", " ");
        marks.add("\u2019", "'");
        return marks.build();
    }

    @Override
    protected Reader initReader(String field, Reader reader) {
        return new MappingCharFilter(MARKS, reader);
    }

    @Override
    protected TokenStreamComponents createComponents(String field) {
        Tokenizer words = new StandardTokenizer();
        TokenStream stream = new LowerCaseFilter(new CJKWidthFilter(words));
        stream = new StopFilter(new EnglishPossessiveFilter(stream), ignored);
        stream = new PorterStemFilter(new ASCIIFoldingFilter(new CJKBigramFilter(stream)));
        return new TokenStreamComponents(words, stream);
    }
}
