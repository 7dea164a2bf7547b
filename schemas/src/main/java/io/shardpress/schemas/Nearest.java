package io.shardpress.schemas;

import java.util.Collection;
import java.util.Locale;

/** The known name that a mistyped one most likely meant: the fewest edited letters, any case. */
public final class Nearest {
  /** Characters that are looked at: what is longer is no slip of a finger. */
  private static final int LONGEST = 200;

  private Nearest() {}

  /** The nearest of {@code known}, which is not empty; the first one of several. */
  public static String to(String typed, Collection<String> known) {
    String lower = typed.substring(0, Math.min(typed.length(), LONGEST)).toLowerCase(Locale.ROOT);
    String best = null;
    int bestDistance = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = distance(lower, candidate.toLowerCase(Locale.ROOT));
      if (distance < bestDistance) {
        best = candidate;
        bestDistance = distance;
      }
    }
    return best;
  }

  /** Levenshtein's distance, with two rows of its table kept. */
  static int distance(String a, String b) {
    int[] above = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      above[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, 1 + Math.min(above[j], row[j - 1]));
      }
      above = row;
    }
    return above[b.length()];
  }
}
