package io.shardpress.spark.engine;

import com.esotericsoftware.kryo.Kryo;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The classes whose values cross Spark: some roots, and all records, enums and sealed types that
 * their components lead to. Registers them with Kryo in an order that is the same everywhere.
 *
 * <p>Roots are the classes of what is sent by itself, and the implementations of interfaces that
 * are not sealed: components do not lead to those.
 */
public final class Crossing {
  private final Set<Class<?>> types = new LinkedHashSet<>();

  private Crossing(List<? extends Class<?>> roots) {
    for (Class<?> root : roots) {
      if (root.isArray() || isOfJdk(root)) {
        types.add(root);
      }
      add(root, "root");
    }
  }

  /**
   * What some roots lead to.
   *
   * @param roots records, enums, sealed interfaces, arrays of them or of primitives, and classes of
   *     the JDK that Kryo has a serializer for
   * @throws IllegalArgumentException where they lead to another class; names the component
   */
  public static Crossing of(List<? extends Class<?>> roots) {
    return new Crossing(roots);
  }

  /** What is registered, in order. */
  public List<Class<?>> types() {
    return List.copyOf(types);
  }

  /** Registers all, and those collections of the JDK that can stand where any object can. */
  public void register(Kryo kryo) {
    OpenCollections.register(kryo);
    for (Class<?> type : types) {
      if (type.isRecord()) {
        kryo.register(type, RecordSerializer.of(type));
      } else if (kryo.getClassResolver().getRegistration(type) == null) {
        ElementsSerializer.find(type, new Type[0], type.getTypeName())
            .ifPresentOrElse(
                serializer -> kryo.register(type, serializer), () -> kryo.register(type));
      }
    }
  }

  /** Adds what a type leads to. */
  private void add(Type type, String where) {
    if (type instanceof ParameterizedType generic) {
      for (Type argument : generic.getActualTypeArguments()) {
        add(argument, where);
      }
    }
    Class<?> raw = Codecs.raw(type);
    if (raw.isArray()) {
      add(raw.getComponentType(), where);
    } else if (raw.isRecord()) {
      addRecord(raw);
    } else if (raw.isEnum()) {
      types.add(raw);
    } else if (raw.isSealed()) {
      for (Class<?> permitted : raw.getPermittedSubclasses()) {
        add(permitted, where);
      }
    } else if (!isOpen(raw) && !crossesAsItIs(raw)) {
      throw new IllegalArgumentException(
          where + ": a " + raw.getTypeName() + " cannot cross Spark: it is no record and no enum");
    }
  }

  private void addRecord(Class<?> type) {
    if (types.add(type)) {
      RecordComponents components = RecordComponents.of(type);
      for (RecordComponents.Component component : components.list()) {
        add(component.type(), components.name() + "." + component.name());
      }
    }
  }

  /** Whether values are always of another class, which only they tell. */
  private static boolean isOpen(Class<?> type) {
    return type == Object.class || Modifier.isAbstract(type.getModifiers()) && !type.isPrimitive();
  }

  private boolean crossesAsItIs(Class<?> type) {
    return type.isPrimitive()
        || Codecs.isClosed(type)
        || types.contains(type)
        || ElementsSerializer.find(type, new Type[0], "").isPresent();
  }

  private static boolean isOfJdk(Class<?> type) {
    return type.getName().startsWith("java.");
  }
}
