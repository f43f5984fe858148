/**
 * Which gpt-oss models are on this machine: names, and the folders that Ossicle, the Hugging Face hub, Ollama, llama.cpp and LM Studio
 * keep. Reads other programs' folders and changes nothing in them. Knows nothing of weights beyond which kind of file they are in.
 */
@NullMarked
package dev.ossicle.models;

import org.jspecify.annotations.NullMarked;
