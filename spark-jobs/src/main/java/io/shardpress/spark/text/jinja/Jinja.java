package io.shardpress.spark.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * A chat template: Jinja2 as Transformers sets it up, with loop controls, {@code generation}
 * blocks, {@code raise_exception} and {@code strftime_now}. Where Jinja2's sandbox refuses what
 * would change a value, so does this.
 */
public final class Jinja {
  /** Characters of the longest template. */
  static final int LONGEST = 1 << 20;

  /** Elements of the longest range, as in Jinja2's sandbox. */
  private static final long LONGEST_RANGE = 100_000;

  /** The day that templates see: always the same, so that a text is the same every day. */
  private static final Map<Character, String> TODAY =
      Map.ofEntries(
          Map.entry('d', "26"),
          Map.entry('e', "26"),
          Map.entry('m', "07"),
          Map.entry('Y', "2024"),
          Map.entry('y', "24"),
          Map.entry('b', "Jul"),
          Map.entry('B', "July"),
          Map.entry('a', "Fri"),
          Map.entry('A', "Friday"),
          Map.entry('H', "00"),
          Map.entry('I', "12"),
          Map.entry('M', "00"),
          Map.entry('S', "00"),
          Map.entry('p', "AM"),
          Map.entry('j', "208"),
          Map.entry('%', "%"));

  private static final Set<String> GLOBALS = Set.of("raise_exception", "strftime_now");

  private final Statement body;

  private Jinja(Statement body) {
    this.body = body;
  }

  /**
   * Reads a template.
   *
   * @throws JinjaException with the line, for what Jinja2 has no meaning for, or has here none
   */
  public static Jinja of(String template) {
    if (template.length() > LONGEST) {
      throw new JinjaException(
          String.format(Locale.ROOT, "%d characters, want at most %d", template.length(), LONGEST));
    }
    return new Jinja(Parser.parse(template));
  }

  /**
   * Carries it out.
   *
   * @param values by name: null, Boolean, Long, Double, String, List and Map of such
   * @return what it prints
   * @throws JinjaException where it refuses the values, goes wrong or goes on too long
   */
  public String render(Map<String, ?> values) {
    Render render = new Render();
    Scope scope = new Scope(render);
    scope.set("range", (Callable) Jinja::range);
    scope.set("namespace", (Callable) arguments -> new Namespace(given(arguments)));
    scope.set("dict", (Callable) arguments -> given(arguments));
    GLOBALS.forEach(name -> scope.set(name, (Callable) arguments -> global(name, arguments)));
    values.forEach(scope::set);
    try {
      body.run(scope.inner());
    } catch (Parser.Jump e) {
      throw new JinjaException("break or continue outside of a loop");
    } catch (StackOverflowError e) {
      throw new JinjaException("the template is nested too deep");
    }
    return render.output();
  }

  private static Object global(String name, Arguments arguments) {
    if (name.equals("raise_exception")) {
      throw new JinjaException(Values.text(arguments.get(0, "message", "")));
    }
    return strftime(arguments.text(0, "format", ""));
  }

  private static String strftime(String format) {
    StringBuilder day = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        day.append(c);
        continue;
      }
      boolean bare = format.charAt(i + 1) == '-' && i + 2 < format.length();
      i += bare ? 2 : 1;
      String part = TODAY.get(format.charAt(i));
      if (part == null) {
        throw new JinjaException("strftime_now with %" + format.charAt(i) + " is not read");
      }
      day.append(bare ? part.replaceFirst("^0(?=.)", "") : part);
    }
    return day.toString();
  }

  private static Map<String, Object> given(Arguments arguments) {
    Map<String, Object> values = new LinkedHashMap<>();
    for (Object one : arguments.positional()) {
      if (one instanceof Map<?, ?> map) {
        map.forEach((key, value) -> values.put(Values.text(key), value));
      } else {
        throw Values.unfit(one, "a mapping");
      }
    }
    values.putAll(arguments.named());
    return values;
  }

  private static Object range(Arguments arguments) {
    boolean one = arguments.positional().size() == 1;
    long from = one ? 0 : Values.whole(arguments.need(0, "start"));
    long to = Values.whole(arguments.need(one ? 0 : 1, "stop"));
    long by = Values.whole(arguments.get(2, "step", 1L));
    if (by == 0) {
      throw new JinjaException("range with a step of 0");
    }
    List<Object> all = new ArrayList<>();
    for (long i = from; by > 0 ? i < to : i > to; i += by) {
      if (all.size() == LONGEST_RANGE) {
        throw new JinjaException("range of more than " + LONGEST_RANGE + " elements");
      }
      all.add(i);
    }
    arguments.render().text(all.size());
    return all;
  }
}
