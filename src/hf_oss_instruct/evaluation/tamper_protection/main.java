class Main {
    public static void main(String[] args) throws Exception {
        Main.class.getClassLoader().setDefaultAssertionStatus(true);
        Problem.main(args);
    }
}
