package io.shardpress.spark.evaluate;

import com.sun.jna.Callback;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import com.sun.jna.Structure;
import de.kherud.llama.LlamaModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A GGUF file in llama.cpp itself, through the C functions of the library that de.kherud:llama
 * brings: its Java side gives text, these give the logits of every position.
 */
final class LlamaCpp implements AutoCloseable {
  /** Of llama.h. Structures whose fields are not used here are passed as they come. */
  interface Functions extends Library {
    void llama_log_set(LogCallback log, Pointer data);

    void llama_backend_init();

    Parameters llama_model_default_params();

    Parameters llama_context_default_params();

    Pointer llama_model_load_from_file(String path, Parameters parameters);

    Pointer llama_init_from_model(Pointer model, Parameters parameters);

    Pointer llama_model_get_vocab(Pointer model);

    int llama_vocab_n_tokens(Pointer vocab);

    int llama_tokenize(
        Pointer vocab, byte[] text, int length, int[] tokens, int most, byte special, byte parse);

    void llama_kv_self_clear(Pointer context);

    int llama_decode(Pointer context, Batch batch);

    Pointer llama_get_logits(Pointer context);

    void llama_free(Pointer context);

    void llama_model_free(Pointer model);
  }

  /** Room for llama_model_params and llama_context_params, which are smaller. */
  public static final class Parameters extends Structure implements Structure.ByValue {
    public int[] words = new int[128];

    @Override
    protected List<String> getFieldOrder() {
      return List.of("words");
    }
  }

  /** llama_batch. */
  public static final class Batch extends Structure implements Structure.ByValue {
    public int tokens;
    public Pointer token;
    public Pointer embedding;
    public Pointer position;
    public Pointer sequences;
    public Pointer sequence;
    public Pointer logits;

    @Override
    protected List<String> getFieldOrder() {
      return List.of("tokens", "token", "embedding", "position", "sequences", "sequence", "logits");
    }
  }

  /** ggml_log_callback. */
  public interface LogCallback extends Callback {
    /** Called by the library. */
    void callback(int level, String line, Pointer data);
  }

  /** What llama.cpp logs, for messages of failed tests. */
  private static final class Log implements LogCallback {
    private final StringBuilder text = new StringBuilder();

    @Override
    public synchronized void callback(int level, String line, Pointer data) {
      text.append(line);
    }
  }

  private static final int CONTEXT = 0;
  private static final int BATCH = 1;
  private static final int UNIT_BATCH = 2;
  private static final int THREADS = 4;

  // The library keeps a pointer to it.
  private static final Log LOG = new Log();
  private static final Functions LLAMA = load();

  private final Pointer model;
  private final Pointer context;
  private final Pointer vocabulary;

  /**
   * @param tokens that fit into the context
   * @throws IllegalStateException where llama.cpp refuses the file, with what it says
   */
  LlamaCpp(Path file, int tokens) {
    model = LLAMA.llama_model_load_from_file(file.toString(), LLAMA.llama_model_default_params());
    if (model == null) {
      throw new IllegalStateException("llama.cpp refuses " + file + ":\n" + LOG.text);
    }
    Parameters parameters = LLAMA.llama_context_default_params();
    parameters.words[CONTEXT] = tokens;
    parameters.words[BATCH] = tokens;
    parameters.words[UNIT_BATCH] = tokens;
    // Several would wait for each other in loops.
    parameters.words[THREADS] = 1;
    parameters.words[THREADS + 1] = 1;
    context = LLAMA.llama_init_from_model(model, parameters);
    vocabulary = LLAMA.llama_model_get_vocab(model);
  }

  private static Functions load() {
    Path library;
    try (InputStream in = LlamaModel.class.getResourceAsStream("Linux/x86_64/libjllama.so")) {
      library = Files.createTempFile("libjllama", ".so");
      Files.copy(in, library, StandardCopyOption.REPLACE_EXISTING);
      library.toFile().deleteOnExit();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    Functions functions =
        Native.load(
            library.toString(),
            Functions.class,
            Map.of(Library.OPTION_STRING_ENCODING, StandardCharsets.UTF_8.name()));
    functions.llama_log_set(LOG, null);
    functions.llama_backend_init();
    return functions;
  }

  /** How many tokens there are. */
  int tokens() {
    return LLAMA.llama_vocab_n_tokens(vocabulary);
  }

  /** A text's tokens, with those that the file says come before and after. */
  int[] tokenize(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    int[] tokens = new int[utf8.length + 8];
    int count =
        LLAMA.llama_tokenize(
            vocabulary, utf8, utf8.length, tokens, tokens.length, (byte) 1, (byte) 0);
    if (count < 0) {
      throw new IllegalStateException("llama.cpp wants room for " + -count + " tokens");
    }
    return Arrays.copyOf(tokens, count);
  }

  /** Logits [tokens × vocabulary] of a text from its beginning. */
  float[] logits(int[] tokens) {
    LLAMA.llama_kv_self_clear(context);
    try (Memory ids = new Memory(4L * tokens.length);
        Memory wanted = new Memory(tokens.length)) {
      ids.write(0, tokens, 0, tokens.length);
      wanted.setMemory(0, tokens.length, (byte) 1);
      Batch batch = new Batch();
      batch.tokens = tokens.length;
      batch.token = ids;
      batch.logits = wanted;
      int code = LLAMA.llama_decode(context, batch);
      if (code != 0) {
        throw new IllegalStateException("llama_decode gives " + code + ":\n" + LOG.text);
      }
      return LLAMA.llama_get_logits(context).getFloatArray(0, tokens.length * tokens());
    }
  }

  /** The tokens that follow a prompt, each the likeliest. */
  int[] greedy(int[] prompt, int count) {
    List<Integer> tokens = new ArrayList<>();
    Arrays.stream(prompt).forEach(tokens::add);
    for (int i = 0; i < count; i++) {
      int[] so = tokens.stream().mapToInt(Integer::intValue).toArray();
      float[] logits = logits(so);
      tokens.add(best(logits, (so.length - 1) * tokens(), tokens()));
    }
    return tokens.stream().mapToInt(Integer::intValue).toArray();
  }

  /** The index of the largest of some numbers. */
  static int best(float[] logits, int from, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
      best = logits[from + i] > logits[from + best] ? i : best;
    }
    return best;
  }

  @Override
  public void close() {
    LLAMA.llama_free(context);
    LLAMA.llama_model_free(model);
  }
}
