package io.shardpress.schemas.fuzz;

import io.shardpress.schemas.fuzz.Json.Array;
import io.shardpress.schemas.fuzz.Json.Entry;
import io.shardpress.schemas.fuzz.Json.Mapping;
import io.shardpress.schemas.fuzz.Json.Scalar;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/** Damage that knows what JSON is: most of it leaves text that parses and means something else. */
public final class JsonDamage {
  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "false",
          "0",
          "-0",
          "-1",
          "1",
          "2",
          "7.5",
          "1.0",
          "1e0",
          "1E2",
          "1e-5",
          "1e308",
          "1e400",
          "1e-400",
          "1e999999999",
          "-1e999999999",
          "1e-999999999",
          "255",
          "2147483647",
          "2147483648",
          "4294967295",
          "4294967296",
          "9007199254740993",
          "9223372036854775807",
          "9223372036854775808",
          "-9223372036854775809",
          "18446744073709551615",
          "18446744073709551616",
          "340282366920938463463374607431768211456",
          "01",
          "+1",
          ".5",
          "5.",
          "0x10",
          "NaN",
          "Infinity",
          "-Infinity",
          "INF",
          "nul",
          "[]",
          "{}",
          "[[]]",
          "[0]",
          "[1,2]",
          "[0,0,0]",
          "[4294967296,4294967296]",
          "[9223372036854775807,2]",
          "{\"a\":1}",
          "{\"\":null}",
          "\"\"",
          "\" \"",
          "\"x\"",
          "\"1\"",
          "\"1e9\"",
          "\"true\"",
          "\"null\"",
          "\"llama\"",
          "\"F32\"",
          "\"F4\"",
          "\"f32\"",
          "\"..\"",
          "\"../x\"",
          "\"a/b\"",
          "\"a\\\\b\"",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "\"\\udc00\\ud800\"",
          "\"\\ud83d\\ude00\"",
          "\"é\u4e2d\ud83d\ude00\"",
          "\"\u202e\u200b\"",
          "\"\\n\\r\\t\\b\\f\\/\"",
          "\"\\x41\"",
          "\"\\u00zz\"",
          "\"a\nb\"",
          "'x'",
          "//",
          "/**/");

  private static final int MOST_VALUES = 2000;

  private final Random random;

  public JsonDamage(Random random) {
    this.random = random;
  }

  /** The value after one to four changes. */
  public Json damage(Json json) {
    Json damaged = json;
    int times = 1 + random.nextInt(random.nextInt(4) + 1);
    // Copies of copies would soon fill the memory.
    for (int i = 0; i < times && damaged.all().size() < MOST_VALUES; i++) {
      damaged = once(damaged);
    }
    return damaged;
  }

  private Json once(Json json) {
    List<Json> all = json.all();
    Json part = all.get(random.nextInt(all.size()));
    return json.with(part, changed(part, all));
  }

  private Json changed(Json part, List<Json> all) {
    if (part instanceof Mapping mapping && random.nextInt(4) > 0) {
      return changed(mapping, all);
    }
    if (part instanceof Array array && random.nextInt(3) > 0) {
      return changed(array, all);
    }
    if (part instanceof Scalar scalar && random.nextInt(3) > 0) {
      return changed(scalar, all);
    }
    return value(all);
  }

  private Json changed(Mapping mapping, List<Json> all) {
    List<Entry> entries = new ArrayList<>(mapping.entries());
    if (entries.isEmpty()) {
      entries.add(new Entry("\"k\"", value(all)));
      return new Mapping(entries);
    }
    int at = random.nextInt(entries.size());
    Entry entry = entries.get(at);
    switch (random.nextInt(7)) {
      case 0 -> entries.remove(at);
      case 1 -> entries.add(random.nextInt(entries.size() + 1), entry);
      case 2 -> entries.add(new Entry(entry.key(), value(all)));
      case 3 -> entries.set(at, new Entry(key(entries), entry.value()));
      case 4 -> entries.add(new Entry(key(entries), value(all)));
      case 5 -> Collections.shuffle(entries, random);
      default -> entries.set(at, new Entry(escaped(entry.key()), entry.value()));
    }
    return new Mapping(entries);
  }

  private String key(List<Entry> entries) {
    return switch (random.nextInt(4)) {
      case 0 -> entries.get(random.nextInt(entries.size())).key();
      case 1 -> {
        String value = VALUES.get(random.nextInt(VALUES.size()));
        yield value.startsWith("\"") ? value : "\"" + value.replaceAll("[\"\\\\]", "") + "\"";
      }
      case 2 -> "\"__metadata__\"";
      default -> "\"" + "k".repeat(random.nextInt(40)) + random.nextInt(100) + "\"";
    };
  }

  private Json changed(Array array, List<Json> all) {
    List<Json> elements = new ArrayList<>(array.elements());
    int at = elements.isEmpty() ? 0 : random.nextInt(elements.size());
    int what = elements.isEmpty() ? 1 : random.nextInt(5);
    switch (what) {
      case 0 -> elements.remove(at);
      case 1 -> elements.add(at, value(all));
      case 2 -> elements.add(elements.get(at));
      case 3 -> Collections.shuffle(elements, random);
      default -> {
        int copies = elements.get(at) instanceof Scalar ? random.nextInt(300) : 2;
        elements.addAll(Collections.nCopies(copies, elements.get(at)));
      }
    }
    return new Array(elements);
  }

  private Json changed(Scalar scalar, List<Json> all) {
    String text = scalar.text();
    if (text.startsWith("\"")) {
      return switch (random.nextInt(4)) {
        case 0 -> new Scalar(escaped(text));
        case 1 -> new Scalar("\"" + text.substring(1).repeat(1 + random.nextInt(2)));
        case 2 -> new Scalar("\"" + "y".repeat(random.nextInt(3000)) + text.substring(1));
        default -> value(all);
      };
    }
    if (text.matches("-?[0-9]{1,17}")) {
      long number = Long.parseLong(text);
      return switch (random.nextInt(7)) {
        case 0 -> new Scalar(String.valueOf(number + 1));
        case 1 -> new Scalar(String.valueOf(number - 1));
        case 2 -> new Scalar(String.valueOf(-number));
        case 3 -> new Scalar(text + ".0");
        case 4 -> new Scalar(text + "e" + random.nextInt(5));
        case 5 -> new Scalar(text + "0".repeat(random.nextInt(30)));
        default -> new Scalar(String.valueOf(number ^ 1L << random.nextInt(63)));
      };
    }
    return value(all);
  }

  /** Any value: of the list, from elsewhere in the same text, deep, long or wide. */
  private Json value(List<Json> all) {
    return switch (random.nextInt(12)) {
      case 0, 1 -> all.get(random.nextInt(all.size()));
      case 2 -> deep();
      case 3 -> new Scalar("1".repeat(1 + random.nextInt(1200)));
      case 4 -> new Array(Collections.nCopies(random.nextInt(400), new Scalar("0")));
      default -> new Scalar(VALUES.get(random.nextInt(VALUES.size())));
    };
  }

  private Json deep() {
    int depth = List.of(3, 60, 130, 990, 1010, 20_000).get(random.nextInt(6));
    return random.nextBoolean()
        ? new Scalar("[".repeat(depth) + "]".repeat(depth))
        : new Scalar("{\"a\":".repeat(depth) + "1" + "}".repeat(depth));
  }

  /** The same string with some of its characters escaped, which changes nothing. */
  private String escaped(String quoted) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < quoted.length(); i++) {
      char c = quoted.charAt(i);
      boolean plain = i > 0 && i < quoted.length() - 1 && quoted.indexOf('\\') < 0;
      out.append(
          plain && random.nextInt(3) == 0
              ? String.format(Locale.ROOT, "\\u%04x", (int) c)
              : String.valueOf(c));
    }
    return out.toString();
  }
}
