package io.shardpress.spark.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Templates of model families and what Jinja2 itself makes of them; make.py beside them says how.
 */
class JinjaTest {
  private static final String FOLDER = "/chat/";

  /** A conversation through a template: its text, or that it is refused. */
  record Case(String template, String conversation, String text) {
    @Override
    public String toString() {
      return template + " " + conversation;
    }
  }

  private static String read(String name) throws IOException {
    try (InputStream in = JinjaTest.class.getResourceAsStream(FOLDER + name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  static Stream<Case> cases() throws IOException {
    List<Case> cases = new ArrayList<>();
    for (JsonNode one : new ObjectMapper().readTree(read("expected.json"))) {
      cases.add(
          new Case(
              one.get("template").asText(),
              one.get("conversation").asText(),
              one.path("text").asText(null)));
    }
    return cases.stream();
  }

  private static Map<String, Object> values(String conversation) throws IOException {
    JsonNode talk = new ObjectMapper().readTree(read("conversations.json")).get(conversation);
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("messages", of(talk.get("messages")));
    values.put("tools", of(talk.path("tools")));
    values.put("documents", null);
    values.put("add_generation_prompt", false);
    values.put("bos_token", "<s>");
    values.put("eos_token", "</s>");
    return values;
  }

  private static Object of(JsonNode node) {
    if (node.isArray()) {
      List<Object> list = new ArrayList<>();
      node.forEach(one -> list.add(of(one)));
      return list;
    }
    if (node.isObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      node.properties().forEach(entry -> map.put(entry.getKey(), of(entry.getValue())));
      return map;
    }
    if (node.isTextual()) {
      return node.asText();
    }
    if (node.isBoolean()) {
      return node.asBoolean();
    }
    return node.isIntegralNumber()
        ? (Object) node.asLong()
        : node.isNumber() ? node.asDouble() : null;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void equalsJinja2(Case one) throws IOException {
    Jinja template = Jinja.of(read(one.template()));
    Map<String, Object> values = values(one.conversation());
    if (one.text() == null) {
      assertThatThrownBy(() -> template.render(values)).isInstanceOf(JinjaException.class);
    } else {
      assertThat(template.render(values)).isEqualTo(one.text());
      assertThat(template.render(values)).as("a second time").isEqualTo(one.text());
    }
  }

  @Test
  void moreThanTenFamilies() throws IOException {
    assertThat(cases().map(Case::template).distinct().count()).isGreaterThan(12);
    assertThat(cases().filter(one -> one.text() != null).count()).isGreaterThan(50);
  }

  /** Each would take all time or memory there is. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
        "{{ 'a' * 10000000000 }}",
        "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{%"
            + " endfor %}",
        "{% set ns = namespace(s='ab') %}{% for i in range(64) %}{% set ns.s = ns.s ~ ns.s %}{%"
            + " endfor %}",
        "{% set ns = namespace(s='aa') %}{% for i in range(64) %}{% set ns.s = ns.s.replace('a',"
            + " 'aa') %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(64) %}{% set ns.s = ns.s + ns.s %}{%"
            + " endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{{ range(10 ** 12) }}",
        "{{ '%99999999999d' % 1 }}",
        "{{ 'x'.zfill(2000000000) }}",
        "{{ 'x'.ljust(2000000000, 'yy') }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ [1] * 100000000000 }}",
        "{% set ns = namespace(l=[]) %}{% for i in range(300) %}{% set ns.l = [ns.l] %}{% endfor"
            + " %}{{ ns.l }}",
        "{% for i in range(100000) %}{{ 'x' * 100000 }}{% endfor %}",
        "{{ ('x' * 1000000) | replace('x', 'y' * 1000) }}",
        "{{ ('y' * 1000000).join(['a'] * 1000) }}",
      })
  void whatHasNoEndIsEnded(String template) {
    assertThatThrownBy(() -> Jinja.of(template).render(Map.of()))
        .isInstanceOf(JinjaException.class);
  }

  @Test
  void nestingIsLimited() {
    for (String deep :
        List.of(
            "{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}",
            "{{ " + "not ".repeat(5000) + "1 }}",
            "{{ " + "- ".repeat(5000) + "1 }}",
            "{{ " + "[".repeat(5000) + "]".repeat(5000) + " }}",
            "{% if x %}".repeat(5000) + "{% endif %}".repeat(5000))) {
      assertThatThrownBy(() -> Jinja.of(deep).render(Map.of())).isInstanceOf(JinjaException.class);
    }
    String wide = "{{ 1" + " + 1".repeat(20_000) + " }}";
    try {
      assertThat(Jinja.of(wide).render(Map.of())).isEqualTo("20001");
    } catch (JinjaException e) {
      assertThat(e).hasMessageContaining("nested");
    }
  }

  /** Nothing of Java's or Python's insides is there. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ ''.__class__ }}",
        "{{ messages.getClass() }}",
        "{{ ''.getClass().forName('java.lang.Runtime') }}",
        "{{ ''['class'].name }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ [].append(1) }}",
        "{{ {}.update({1: 2}) }}",
        "{% include 'other' %}",
        "{% import 'other' as o %}",
        "{{ '' | attr('__class__') }}",
        "{{ self._TemplateReference__context }}",
        "{% do 1 %}",
      })
  void nothingBehindTemplatesIsReached(String template) {
    assertThatThrownBy(() -> Jinja.of(template).render(Map.of("messages", List.of())))
        .isInstanceOf(JinjaException.class);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '^',
      value = {
        "{% if x %}|line 1: found the template's end, wanted elif or else or endif",
        "{{ 'a' + 1 }}|found a number, wanted a string to add to one",
        "{{ x.y }}|'x' is undefined",
        "{{ raise_exception('no system turn') }}|no system turn",
        "{{ 'a'!nope }}|line 1: unexpected character '!'",
        "{% endfor %}|statement endfor is not known here",
        "{{ 1 ~ }}|line 1: unexpected }}",
        "{% for x of y %}|line 1: found 'of', wanted in",
        "{{ 'abc }}|line 1: string without '",
        "{% break %}|break or continue outside of a loop",
        "{{ 1 / 0 }}|division by zero",
        "{{ 1 is nothing }}|test nothing is not known here",
      })
  void mistakesAreSaid(String template, String message) {
    assertThatThrownBy(() -> Jinja.of(template).render(Map.of()))
        .isInstanceOf(JinjaException.class)
        .hasMessageContaining(message);
  }

  /** Damaged templates: text or a refusal, nothing else. */
  @Test
  void damagedTemplatesEndWell() throws IOException {
    Random random = new Random(21);
    List<String> good = new ArrayList<>();
    for (String name : cases().map(Case::template).distinct().toList()) {
      good.add(read(name));
    }
    Map<String, Object> values = values("tools");
    int read = 0;
    for (int i = 0; i < 4000; i++) {
      StringBuilder text = new StringBuilder(good.get(random.nextInt(good.size())));
      for (int change = 0; change <= random.nextInt(4); change++) {
        int at = random.nextInt(text.length());
        int end = Math.min(text.length(), at + 1 + random.nextInt(12));
        switch (random.nextInt(3)) {
          case 0 -> text.delete(at, end);
          case 1 -> text.insert(at, text.substring(at, end));
          default -> text.setCharAt(at, "{}%#|()[]'\"-+.:,=~ \n\\xe9".charAt(random.nextInt(24)));
        }
      }
      try {
        Jinja.of(text.toString()).render(values);
        read++;
      } catch (JinjaException refused) {
        assertThat(refused.getMessage()).isNotBlank();
      }
    }
    assertThat(read).isBetween(400, 3600);
  }
}
