package io.shardpress.spark.app;

import io.shardpress.schemas.UsageException;
import io.shardpress.spark.app.options.TextSettings;
import io.shardpress.spark.app.options.TextShare;
import io.shardpress.spark.io.Checkpoint;
import io.shardpress.spark.io.CheckpointFile;
import io.shardpress.spark.text.ChatRows;
import io.shardpress.spark.text.TokenizerFile;
import io.shardpress.spark.text.Windows;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Text as the command line names it, cut into windows and put into the store. */
public final class Calibration {
  private static final String DEFAULT_FILE = "calibration.jsonl";

  private Calibration() {}

  /**
   * The calibration windows.
   *
   * @param learns whether the algorithm itself needs them, and not only the scales of activations
   * @throws UsageException where no text is given and the model's folder has none
   */
  public static Windows windows(
      Checkpoint checkpoint, TextSettings settings, boolean learns, Configuration configuration) {
    Optional<String> beside = checkpoint.otherFile(DEFAULT_FILE).map(CheckpointFile::uri);
    String text =
        settings
            .file()
            .or(() -> beside)
            .orElseThrow(
                () ->
                    new UsageException(
                        checkpoint.uri()
                            + " has no "
                            + DEFAULT_FILE
                            + (learns
                                ? ", and this algorithm needs calibration text; give --calibration"
                                    + " FILE, or use --algorithm rtn"
                                : ", and static scales of activations, keys and values are measured"
                                    + " on calibration text; give --calibration FILE, or a scheme"
                                    + " without them, such as W8A8")));
    return windows(checkpoint, text, settings, configuration);
  }

  /**
   * Windows of a text by a model's tokenizer, of rows that are conversations by its chat template;
   * of several texts each by its share, in the order in which they are named.
   *
   * @param text as {@link TextShare#parse} reads it
   */
  public static Windows windows(
      Checkpoint checkpoint, String text, TextSettings settings, Configuration configuration) {
    var config = checkpoint.config();
    try (TokenizerFile tokenizer = TokenizerFile.load(new Path(checkpoint.uri()), configuration)) {
      if (tokenizer.size() > config.vocabSize()) {
        throw new io.shardpress.schemas.CheckpointException(
            String.format(
                Locale.ROOT,
                "%s has %d tokens, but the model's vocabulary has %d; take the tokenizer that the"
                    + " model was trained with",
                tokenizer.source(),
                tokenizer.size(),
                config.vocabSize()));
      }
      List<TextShare> texts = TextShare.parse(text);
      List<Integer> counts = TextShare.windows(texts, settings.samples());
      ChatRows chats = ChatRows.of(new Path(checkpoint.uri()), configuration);
      List<Windows> windows = new ArrayList<>();
      for (int i = 0; i < texts.size(); i++) {
        windows.add(
            Windows.read(
                new Path(texts.get(i).uri()),
                settings.field(),
                chats,
                tokenizer,
                config.vocabSize(),
                counts.get(i),
                settings.sequenceLength(config.maxPositionEmbeddings()),
                configuration));
      }
      return windows.size() == 1 ? windows.get(0) : Windows.joined(windows);
    }
  }
}
