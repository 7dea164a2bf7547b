package io.shardpress.spark.app.options;

import io.shardpress.schemas.UsageException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * One of the texts that windows come from.
 *
 * @param uri of a file or folder
 * @param share of all windows, above 0; those of all texts together are 1
 */
public record TextShare(String uri, double share) {
  private static final Pattern FILE = Pattern.compile("(?i).+\\.(jsonl|parquet|txt)(\\.gz)?");
  private static final Pattern SHARED = Pattern.compile("(.+)=([0-9]*\\.?[0-9]+)");
  private static final double ROUNDING = 1e-9;

  /**
   * The texts of an option: a URI, or {@code prose.jsonl=0.5,code.jsonl=0.3,chat.jsonl=0.2};
   * without shares all have the same. Commas and equals signs belong to a name where what lies
   * between them are no files and shares.
   *
   * @throws UsageException where shares are missing or are not 1 together
   */
  public static List<TextShare> parse(String option) {
    List<Matcher> parts = new ArrayList<>();
    if (!option.contains(",")) {
      return List.of(new TextShare(option, 1));
    }
    for (String part : option.split(",", -1)) {
      Matcher shared = SHARED.matcher(part);
      if (!shared.matches() && !FILE.matcher(part).matches()) {
        return List.of(new TextShare(option, 1));
      }
      parts.add(shared);
    }
    long withShare = parts.stream().filter(Matcher::matches).count();
    if (withShare > 0 && withShare < parts.size()) {
      throw new UsageException(
          "text "
              + option
              + ": some have a share and some have not; want FILE=SHARE for all or none");
    }
    List<TextShare> texts = new ArrayList<>();
    String[] names = option.split(",", -1);
    for (int i = 0; i < names.length; i++) {
      boolean shared = parts.get(i).matches();
      texts.add(
          shared
              ? new TextShare(
                  parts.get(i).group(1), new BigDecimal(parts.get(i).group(2)).doubleValue())
              : new TextShare(names[i], 1.0 / names.length));
    }
    double sum = texts.stream().mapToDouble(TextShare::share).sum();
    if (texts.stream().anyMatch(text -> text.share() <= 0) || Math.abs(sum - 1) > ROUNDING) {
      throw new UsageException(
          String.format(
              Locale.ROOT,
              "text %s: shares are %s together, want numbers above 0 that are 1",
              option,
              BigDecimal.valueOf(Math.round(sum * 1e9), 9).stripTrailingZeros().toPlainString()));
    }
    return List.copyOf(texts);
  }

  /**
   * Whole windows for each text, which are {@code windows} together: rounded down, and then one
   * more for those that lost most, the first of equals.
   *
   * @throws UsageException where a text would get none
   */
  public static List<Integer> windows(List<TextShare> texts, int windows) {
    int[] counts = texts.stream().mapToInt(text -> (int) (text.share() * windows + 1e-6)).toArray();
    int left = windows - IntStream.of(counts).sum();
    IntStream.range(0, counts.length)
        .boxed()
        .sorted(
            Comparator.comparingDouble(
                i -> Math.rint(1e6 * (counts[i] - texts.get(i).share() * windows))))
        .limit(Math.max(0, left))
        .forEach(i -> counts[i]++);
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] == 0) {
        throw new UsageException(
            String.format(
                Locale.ROOT,
                "text %s: its share of %d windows is none; raise --samples or its share",
                texts.get(i).uri(),
                windows));
      }
    }
    return IntStream.of(counts).boxed().toList();
  }
}
