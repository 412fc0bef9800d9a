import pytest

from aegis.data.layout import LayoutError, arrange, listed
from aegis.data.splits import SAID
from aegis.data.tables import read_table


def paths(*names):
    return [tuple(name.split("/")) for name in names]


def each(*folders, count=2, ending="png"):
    """Paths of some pictures in each folder."""
    return paths(*(f"{folder}/{i}.{ending}" for folder in folders for i in range(count)))


def shown(layout):
    """Training and test pictures with their classes, as text."""
    return tuple([f"{'/'.join(path)}: {name}" for path, name in split.items()] for split in (layout.train, layout.test))


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ("train", "test"),
        ("train", "val"),
        ("train", "valid"),
        ("Training", "Testing"),
        ("Train", "Test"),
        ("Final_Training/Images", "Final_Test/Images"),
        ("any/top/training", "any/top/validation"),
    ],
)
def test_splits_have_many_names(train, test):
    layout = arrange(each(f"{train}/a", f"{train}/b", f"{test}/a", f"{test}/b", count=1))
    assert shown(layout) == (
        [f"{train}/a/0.png: a", f"{train}/b/0.png: b"],
        [f"{test}/a/0.png: a", f"{test}/b/0.png: b"],
    )
    assert layout.class_names == ("a", "b")


def test_of_three_splits_test_is_taken_and_what_is_left_out_is_told():
    layout = arrange(each(*(f"{split}/{name}" for split in ("train", "val", "test") for name in "ab")))
    assert {path[0] for path in layout.test} == {"test"}
    assert len(layout.train) == len(layout.test) == 4
    assert layout.notes == ("The 4 pictures of val were left out.",)


@pytest.mark.parametrize("top", ["", "train/", "GTSRB/Final_Training/Images/"])
def test_without_a_second_split_every_fifth_of_a_class_is_held_out(top):
    layout = arrange(each(f"{top}b", f"{top}a", count=6))
    assert [path[-2:] for path in layout.test] == paths("a/0.png", "a/5.png", "b/0.png", "b/5.png")
    assert len(layout.train) == 8
    assert layout.notes == (SAID,)


def test_a_folder_of_images_in_every_class_is_none_and_a_table_lists_the_other_split():
    # Tiny ImageNet, whose test pictures have no classes.
    pictures = each("top/train/n01/images", "top/train/n02/images", "top/val/images", "top/test/images", ending="JPEG")
    table = read_table(("top", "val", "val_annotations.txt"), b"0.JPEG\tn02\t0\t0\t9\t9\n1.JPEG\tn01\t0\t0\t9\t9\n")
    layout = arrange(pictures, [table])
    assert layout.class_names == ("n01", "n02")
    assert layout.test == {("top", "val", "images", "0.JPEG"): "n02", ("top", "val", "images", "1.JPEG"): "n01"}
    assert set(layout.train.values()) == {"n01", "n02"}
    assert layout.notes == (
        "The 2 pictures of test were left out: nothing says their classes.",
        "Classes of val are read from top/val/val_annotations.txt.",
        "Images of val are taken for testing.",
    )


def test_class_numbers_of_a_table_are_those_of_padded_folders():
    # GTSRB as torchvision keeps it.
    pictures = [*each("GTSRB/Training/00000", "GTSRB/Training/00007", ending="ppm"), *each("GTSRB/Final_Test/Images")]
    table = read_table(("GT-final_test.csv",), b"Filename;Width;ClassId\n0.png;30;7\n1.png;30;0\n")
    layout = arrange(pictures, [table])
    assert layout.class_names == ("00000", "00007")
    assert list(layout.test.values()) == ["00007", "00000"]


def test_a_table_of_one_split_never_labels_the_pictures_of_another_that_are_called_alike():
    pictures = each("train", "test")
    table = read_table(("trainLabels.csv",), b"id,label\n0,cat\n1,dog\n")
    with pytest.raises(LayoutError):
        arrange(pictures, [table])
    more = [*pictures, *each("train", count=6)]
    table = read_table(("trainLabels.csv",), b"id,label\n0,cat\n1,dog\n2,cat\n3,dog\n4,cat\n5,dog\n")
    layout = arrange(more, [table])
    assert {path[0] for path in (*layout.train, *layout.test)} == {"train"}
    assert layout.notes[0] == "The 2 pictures of test were left out: nothing says their classes."


@pytest.mark.parametrize("folder", ["", "clean_example_data/", "model/clean_example_data/"])
def test_classes_in_the_names_of_pictures_are_in_the_order_of_their_numbers(folder):
    pictures = paths(*(f"{folder}class_{c}_example_{i}.png" for c in range(12) for i in range(3)))
    layout = arrange(pictures)
    assert layout.class_names == tuple(str(i) for i in range(12))
    assert len(layout.test) == 12
    assert layout.notes == ("Classes are read from the names of the pictures.", SAID)


def test_a_number_that_no_picture_has_keeps_its_place():
    assert arrange(paths(*(f"class_{c}_{i}.png" for c in (0, 3) for i in range(2)))).class_names == tuple("0123")
    assert arrange(paths(*(f"class_{c}_{i}.png" for c in (1, 2) for i in range(2)))).class_names == ("1", "2")


def test_words_before_the_number_of_a_picture_are_classes_if_each_has_several():
    pictures = paths("cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg")
    assert arrange(pictures).class_names == ("cat", "dog")
    for one in (["IMG_1.jpg", "IMG_2.jpg"], ["cat.0.jpg", "cat.1.jpg", "logo7.jpg"], ["cat.0.jpg", "dog.jpg"]):
        with pytest.raises(LayoutError, match="no pictures inside folders"):
            arrange(paths(*one))


def test_a_table_beside_flat_pictures_is_read_and_one_of_a_few_of_them_is_not():
    pictures = paths(*(f"{i}.png" for i in range(6)))
    rows = "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(6))
    layout = arrange(pictures, [read_table(("labels.csv",), f"file,class\n{rows}".encode())])
    assert layout.class_names == ("a", "b")
    assert layout.test == {("0.png",): "a", ("1.png",): "b"}
    # A list of classes by number.
    with pytest.raises(LayoutError):
        arrange(pictures, [read_table(("classes.txt",), b"0 airplane\n1 bird\n")])


def test_triggered_and_clean_pictures_of_a_model_are_not_two_classes():
    pictures = each("id-0/clean_example_data", "id-0/poisoned_example_data", count=6)
    with pytest.raises(LayoutError, match="the classes clean_example_data, poisoned_example_data"):
        arrange(pictures)


def test_folders_called_as_splits_are_classes_unless_a_table_says_otherwise():
    pictures = each("train", "valid", count=6)
    assert arrange(pictures).class_names == ("train", "valid")
    rows = {split: "".join(f"{i}.png,{'ab'[i % 2]}\n" for i in range(6)).encode() for split in ("train", "valid")}
    tables = [read_table((split, "labels.csv"), b"file,class\n" + content) for split, content in rows.items()]
    assert arrange(pictures, tables).class_names == ("a", "b")


@pytest.mark.parametrize(
    ("names", "got"),
    [
        (["train/a/1.png", "train/b/1.png", "train/stray.png", "test/a/1.png"], "a picture at train/stray.png"),
        (["a/1.png", "b/c/2.png", "b/d/3.png"], "a picture at b/c/2.png"),
    ],
)
def test_pictures_of_which_the_class_is_unclear_are_named(names, got):
    with pytest.raises(LayoutError, match=got):
        arrange(paths(*names))


def test_pictures_beside_the_folders_are_left_out_and_told():
    layout = arrange([*each("a", "b", count=6), *paths("logo.png")])
    assert layout.notes[-1] == "Pictures beside the folders were left out: logo.png."
    assert len(layout.train) + len(layout.test) == 12
    layout = arrange([*each("Train/a", "Train/b", "Test/a", "Test/b"), *each("Meta")])
    assert layout.notes == ("Pictures beside the splits were left out: Meta/0.png, Meta/1.png.",)


def test_three_files_are_named_and_the_others_counted():
    assert listed(paths("a", "b", "c")) == "a, b, c"
    assert listed(paths("a", "b/x", "c", "d", "e")) == "a, b/x, c and 2 more"
