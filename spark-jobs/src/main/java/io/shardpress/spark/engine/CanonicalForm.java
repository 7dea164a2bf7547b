package io.shardpress.spark.engine;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.shardpress.spark.engine.ValuePath.Place;
import io.shardpress.spark.io.TensorRef;
import io.shardpress.spark.store.PartKey;
import java.lang.reflect.Array;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A value as a text that two values share if and only if they are equal, on every machine, JDK and
 * locale: what the names of parts are the SHA-256 of, in UTF-8.
 *
 * <pre>
 *   null  true  5  5L  5s  5b  65c            numbers with the suffix of their type
 *   0x1.8p1f  0x1.8p1d  NaNd  Infinityd       as Java writes floating point in hexadecimal
 *   "3:abc"                                   the length in chars before the text
 *   Dtype.BF16                                enums and records by name without package
 *   RowTile{start=0,count=64}                 components but for those that are a {@code Location}
 *   [a,b]  int[](1,2)  Optional(a)            in order
 *   set(a,b)  map(k=v,l=w)                    sorted as texts; which class it is does not count
 *   BlockSpec#5e88…                           SHA-256 in place of a record's form above 256 chars
 *   step:5e88…                                a {@link Derivation} in another by its part's name
 * </pre>
 *
 * <p>Every form tells where it ends, so what a record or a list holds can be read in one way only.
 */
final class CanonicalForm {
  /** Above this, in chars, a record within another value is given by its form's digest. */
  static final int LONGEST = 256;

  private static final String STEP = "step:";

  private static final RememberedForms REMEMBERED = new RememberedForms();

  private final StringBuilder out = new StringBuilder();
  private final ValuePath path = new ValuePath();
  // Digests of what may change later, and is therefore not remembered beyond this form.
  private final IdentityHashMap<Object, String> seen = new IdentityHashMap<>();
  // Whether what was appended since this was last false may change later.
  private boolean changeable;

  // Whether a part gets its name from this form: then every tensor has to say what it holds.
  private boolean naming;

  private CanonicalForm() {}

  /**
   * The form of a value, that of a record in full.
   *
   * @throws IllegalArgumentException where something in it has none; names the component
   */
  static String of(Object value) {
    CanonicalForm form = new CanonicalForm();
    if (value instanceof Record) {
      form.appendComponents(value);
    } else {
      form.append(value);
    }
    return form.out.toString();
  }

  /** The name of what a derivation makes. */
  static PartKey part(Derivation derivation) {
    CanonicalForm form = new CanonicalForm();
    form.naming = true;
    form.append(derivation);
    return new PartKey(form.out.substring(STEP.length()));
  }

  /** The name of one of several parts that a derivation makes. */
  static PartKey part(PartKey derivation, String output) {
    return new PartKey(sha256("output{" + of(derivation) + ',' + of(output) + '}'));
  }

  private void append(Object value) {
    if (value == null) {
      out.append("null");
    } else if (value instanceof String text) {
      appendText(text);
    } else if (value instanceof Derivation || value instanceof Record) {
      appendOnce(value);
    } else if (value instanceof List<?> list) {
      appendInOrder("[", list, "]");
    } else if (value instanceof Set<?> set) {
      appendSet(set);
    } else if (value instanceof Map<?, ?> map) {
      appendMap(map);
    } else if (value instanceof Optional<?> optional) {
      appendInOrder("Optional(", optional.stream().toList(), ")");
    } else if (value.getClass().isArray()) {
      appendArray(value);
    } else {
      out.append(
          Atoms.form(value)
              .orElseThrow(() -> path.refused("a " + typeOf(value) + " has no canonical form")));
    }
  }

  private void appendText(String text) {
    if (!Atoms.isWhole(text)) {
      throw path.refused("text with half a surrogate pair has no canonical form");
    }
    out.append(Atoms.form(text));
  }

  /** Appends a derivation or a record, from memory where its digest is known. */
  private void appendOnce(Object record) {
    String known = REMEMBERED.find(record);
    if (known == null) {
      known = seen.get(record);
      changeable |= known != null;
    }
    if (known != null) {
      out.append(known);
      return;
    }
    boolean before = changeable;
    changeable = false;
    if (record instanceof Derivation derivation) {
      appendPart(derivation);
    } else {
      appendShort(record);
    }
    changeable |= before;
  }

  private void appendPart(Derivation derivation) {
    int start = out.length();
    StepKind kind = derivation.kind();
    out.append("part{format=").append(PartKey.FORMAT).append(",kind=");
    appendText(kind.name());
    out.append(",version=").append(kind.version()).append(",of=");
    appendComponents(derivation);
    out.append('}');
    replace(start, STEP, derivation);
  }

  private void appendShort(Object record) {
    int start = out.length();
    appendComponents(record);
    if (out.length() - start > LONGEST) {
      replace(start, RecordComponents.nameOf(record.getClass()) + '#', record);
    }
  }

  /** Puts the digest of a record's form in the place of the form, which begins at {@code start}. */
  private void replace(int start, String prefix, Object record) {
    String digest = prefix + sha256(out.substring(start));
    out.setLength(start);
    out.append(digest);
    if (changeable) {
      seen.put(record, digest);
    } else {
      REMEMBERED.remember(record, digest);
    }
  }

  private void appendComponents(Object record) {
    if (!(record instanceof Record)) {
      throw path.refused(typeOf(record) + " is no record");
    }
    if (naming && record instanceof TensorRef tensor && tensor.content() == null) {
      throw path.refused(
          "tensor " + tensor.tensor() + " has no content yet; read its digest first");
    }
    RecordComponents components = RecordComponents.of(record.getClass());
    boolean top = path.isEmpty();
    if (top) {
      path.enter(components.name());
    }
    out.append(components.name()).append('{');
    String separator = "";
    for (RecordComponents.Component component : components.list()) {
      if (!component.location()) {
        path.enter(component.name());
        out.append(separator).append(component.name()).append('=');
        append(component.of(record));
        path.leave();
        separator = ",";
      }
    }
    out.append('}');
    if (top) {
      path.leave();
    }
  }

  private void appendInOrder(String open, List<?> elements, String close) {
    changeable |= !Unmodifiable.is(elements);
    out.append(open);
    int number = 0;
    for (Object element : elements) {
      if (number > 0) {
        out.append(',');
      }
      path.enter(new Place(number++));
      append(element);
      path.leave();
    }
    out.append(close);
  }

  private void appendArray(Object array) {
    List<Object> elements = new ArrayList<>();
    for (int i = 0; i < Array.getLength(array); i++) {
      elements.add(Array.get(array, i));
    }
    appendInOrder(RecordComponents.nameOf(array.getClass()) + "(", elements, ")");
  }

  private void appendSet(Set<?> set) {
    changeable |= !Unmodifiable.is(set);
    List<String> forms = new ArrayList<>(set.size());
    set.forEach(element -> forms.add(formAlone(Place.ELEMENT, element)));
    appendSorted("set(", forms);
  }

  private void appendMap(Map<?, ?> map) {
    changeable |= !Unmodifiable.is(map);
    List<String> forms = new ArrayList<>(map.size());
    map.forEach(
        (key, value) -> {
          String form = formAlone(Place.KEY, key);
          forms.add(form + '=' + formAlone(new Place(form), value));
        });
    appendSorted("map(", forms);
  }

  private void appendSorted(String open, List<String> forms) {
    Collections.sort(forms);
    out.append(open).append(String.join(",", forms)).append(')');
  }

  /** An element's form, out of the text. */
  private String formAlone(Place place, Object element) {
    int start = out.length();
    path.enter(place);
    append(element);
    path.leave();
    String form = out.substring(start);
    out.setLength(start);
    return form;
  }

  private static String typeOf(Object value) {
    return value.getClass().getTypeName();
  }

  private static String sha256(String form) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha.digest(form.getBytes(UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
