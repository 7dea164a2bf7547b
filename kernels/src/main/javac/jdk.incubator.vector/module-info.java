/*
 * Stands in for the declaration of the JDK's own module while javac runs, and nowhere else: the JDK's is marked as an
 * incubator's, of which javac warns, and -Werror makes that an error. -Xlint:-incubating would say the same, from JDK 22 on.
 */
module jdk.incubator.vector {
  exports jdk.incubator.vector;
}
