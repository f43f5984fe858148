package dev.ossicle.harmony;

/** What tokens mean. */
sealed interface ParserRules permits ReferenceRules, TotalRules {
    /** The token is the last of {@link Progress#tokens} already. */
    void process(int token);

    void finish();
}
